/* How fine a generated mesh is, and where. */
#include "mesh/generate.h"

#include "base/memory.h"
#include "base/vector.h"
#include <irezone/anatomy.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/// Longest side over shortest of the triangles on a wall.
#define ASPECT 3

/// The same along a shaft that metal will be pulled back through, where no fewer points around it are taken. With 3
/// there are a tenth more elements, with 5 meshing takes half as long again: Gmsh tries to mend hundreds of poor
/// elements.
#define ASPECT_LATER 4

/// Fewest points around bare metal, and around a shaft far from it, where the field is weak.
#define AROUND_METAL 8
#define AROUND_SHAFT 4

/// Start of the insulation: the field's singularity there is stronger than at the rim of the tip.
#define JUNCTION 0.5

/// Where bare metal will end after a pull-back, as a share of the size at metal.
#define LATER 0.5

/// Sizes at a rounded end, where the field is smooth, and at a trocar's, whose edges and point are sharper than the rim
/// of a flat end: with 1 the peak field of a coarse mesh was no higher than at a rounded end.
#define ROUNDED 2
#define TROCAR 0.7

/// Where the tissue changes, elements are this much smaller, within this distance of bare metal (m); and where the
/// surface between tissues is bent no longer than so many radii, but not smaller than another share of what they would
/// be, which between plates does not say where the field is strong. The grid that says where has at most so many cells
/// along an edge.
#define LABEL_SHARE 0.6
#define LABEL_RADII 0.8
#define LABEL_LEAST 0.3
#define LABEL_LEAST_PLATES 0.15
#define LABEL_REACH 0.03
#define LABEL_CELLS 80

/// Sizes at scale 1: at bare metal and its ends, in diameters, and what they grow by with distance.
typedef struct {
  double metal, ends, growth;
} Sizes;

/* Found by experiment on two to six needles of 5 to 40 mm exposure, 8 to 30 mm apart, also tilted, in liver: at scale 1
 * and order 2 currents are about 0.15 % and volumes up to 0.5 % too large. Their error goes with the third to fourth
 * power of the scale (order 2) or with its square (order 1). */
static const Sizes usual = {0.6, 0.12, 0.36};

void irz_mesh_sizing(const IrzPlan *plan, IrzMeshSizing *sizing) {
  *sizing = (IrzMeshSizing){0};
  if (plan == NULL || plan->missing != NULL) return;
  double accuracy = plan->mesh.accuracy > 0 ? plan->mesh.accuracy / 0.01 : 1;
  double diameter = INFINITY;
  for (int p = 0; p < plan->n_probes; p++) diameter = fmin(diameter, plan->probes[p].diameter);
  double scale = plan->mesh.order == 1 ? IRZ_LINEAR_MESH * sqrt(accuracy) : cbrt(accuracy);
  scale = fmin(fmax(scale, plan->mesh.order == 1 ? 0.12 : 0.25), IRZ_COARSEST_MESH);
  sizing->metal = usual.metal * diameter * scale;
  sizing->ends = usual.ends * diameter * scale;
  sizing->growth = usual.growth * scale;
  sizing->far = 0.15 * plan->mesh.size;
  if (plan->n_probes == 2 && plan->probes[0].plate[0] > 0) irz_plate_sizing(plan, scale, sizing);
}

/// Points around bare metal away from its ends.
static int around_metal(const IrzSizeField *field, const IrzNeedle *needle) {
  return (int)fmax(AROUND_METAL, ceil(2 * M_PI * needle->radius / field->sizing.metal));
}

/// Distance from the nearest bare metal along a needle; negative inside. Where metal will be after a pull-back counts
/// too, since the zone there is measured on this mesh.
static double beyond_metal(const IrzNeedle *needle, double z) {
  double beyond = z - needle->bare[0][1];
  for (int i = 0; i <= needle->n_later; i++) {
    for (int k = i == 0; k < needle->n_bare; k++) {
      double at = z - i * needle->later;
      beyond = fmin(beyond, fmax(needle->bare[k][0] - at, at - needle->bare[k][1]));
    }
  }
  return beyond;
}

int irz_size_around(const IrzSizeField *field, const IrzNeedle *needle, double z) {
  int metal = around_metal(field, needle);
  double along = irz_size_along(field, needle, z);
  double beyond = beyond_metal(needle, z);
  /* After a pull-back the field is measured here, and more than a quarter of a turn is too coarse for that. */
  if (beyond > needle->radius && needle->n_later * needle->later <= 0) {
    double fewer = metal / (1 + 0.1 * beyond / needle->radius);
    return (int)fmax(AROUND_SHAFT, round(fewer));
  }
  return (int)fmax(metal, ceil(2 * M_PI * needle->radius / (ASPECT * along)));
}

double irz_size_end(const IrzSizeField *field, const IrzNeedle *needle) {
  double share = needle->shape == IRZ_TIP_ROUNDED ? ROUNDED : needle->shape == IRZ_TIP_TROCAR ? TROCAR : 1;
  return share * field->sizing.ends;
}

double irz_size_along(const IrzSizeField *field, const IrzNeedle *needle, double z) {
  const IrzMeshSizing *sizing = &field->sizing;
  double at_rim = irz_size_end(field, needle);
  double nearest = INFINITY, beyond = beyond_metal(needle, z);
  for (int k = 0; k < needle->n_bare; k++) {
    nearest = fmin(nearest, fabs(z - needle->bare[k][1]));
    if (k > 0) nearest = fmin(nearest, fabs(z - needle->bare[k][0]));
  }
  double at_ends =
      fmin(at_rim + sizing->growth * fmax(0, z - needle->shoulder), JUNCTION * sizing->ends + sizing->growth * nearest);
  for (int i = 1; i <= needle->n_later; i++) {
    double later = fabs(z - needle->bare[needle->n_bare - 1][1] - i * needle->later);
    at_ends = fmin(at_ends, LATER * sizing->metal + sizing->growth * later);
  }
  if (beyond <= 0) return fmin(at_ends, sizing->metal);
  /* the shaft is smooth and the field along it weak: let its triangles grow long */
  double circle = 2 * M_PI * needle->radius, metal = around_metal(field, needle);
  double longest = ASPECT * circle / fmax(AROUND_SHAFT, metal / (1 + 0.1 * beyond / needle->radius));
  if (needle->n_later * needle->later > 0) longest = fmin(longest, ASPECT_LATER * circle / metal);
  return fmin(at_ends, longest);
}

/// Edge length of the volume mesh at a wall: between the spacings along and around.
static double wall_size(const IrzSizeField *field, const IrzNeedle *needle, double z) {
  double along = irz_size_along(field, needle, z);
  double around = 2 * M_PI * needle->radius / irz_size_around(field, needle, z);
  return fmin(sqrt(along * around), fmax(along, 0.5 * around));
}

/// Cell of the label grid at integer coordinates.
static size_t label_cell(const IrzSizeField *field, int i, int j, int k) {
  return ((size_t)k * (size_t)field->label_size[1] + (size_t)j) * (size_t)field->label_size[0] + (size_t)i;
}

/// What a grid holds at a point; infinite outside.
static double grid_at(const IrzSizeField *field, const float *grid, const double x[3]) {
  int at[3];
  for (int k = 0; k < 3; k++) {
    double cell = (x[k] - field->label_origin[k]) / field->label_step;
    if (!(cell >= 0 && cell < field->label_size[k])) return INFINITY;
    at[k] = (int)cell;
  }
  return (double)grid[label_cell(field, at[0], at[1], at[2])];
}

double irz_label_distance(const IrzSizeField *field, const double x[3]) {
  return grid_at(field, field->label_distance, x);
}

double irz_size_at(const IrzSizeField *field, const double x[3]) {
  const IrzTissueBox *box = field->box;
  double size = field->sizing.far;
  for (int p = 0; p < box->n_needles; p++) {
    const IrzNeedle *needle = &box->needle[p];
    double d[3] = {x[0] - needle->tip[0], x[1] - needle->tip[1], x[2] - needle->tip[2]};
    double z = d[0] * needle->axis[0] + d[1] * needle->axis[1] + d[2] * needle->axis[2];
    double across = sqrt(fmax(d[0] * d[0] + d[1] * d[1] + d[2] * d[2] - z * z, 0)) - needle->radius;
    double nearest = fmin(fmax(z, 0), needle->exit_high);
    double distance = hypot(fmax(across, 0), z - nearest);
    size = fmin(size, wall_size(field, needle, nearest) + field->sizing.growth * distance);
  }
  for (int p = 0; p < box->n_plates; p++) size = fmin(size, irz_plate_size(&field->sizing, &box->plate[p], x));
  if (field->label_distance) {
    double at_change = fmax(LABEL_SHARE * size, field->label_finest), bent = INFINITY;
    if (field->label_bend) bent = field->sizing.growth * grid_at(field, field->label_bend, x);
    bent = fmax(bent, (box->n_plates > 0 ? LABEL_LEAST_PLATES : LABEL_LEAST) * size);
    size = fmin(fmin(size, bent), at_change + field->sizing.growth * irz_label_distance(field, x));
  }
  return size;
}

/// z where the uppermost bare metal ends, now or after a pull-back.
static double metal_end(const IrzNeedle *needle) {
  return needle->exposure + needle->n_later * needle->later;
}

/// Widen bounds by a plate's corners.
static void include_plate(const IrzProbe *plate, int k, double *low, double *high) {
  for (int corner = 0; corner < 8; corner++) {
    double x[3];
    irz_plate_corner(plate, corner, x);
    *low = fmin(*low, x[k] - LABEL_REACH);
    *high = fmax(*high, x[k] + LABEL_REACH);
  }
}

/// Lay the label grid around the bare metal; between clamping plates it is everywhere.
static void place_label_grid(IrzSizeField *field, const IrzLabelMap *labels) {
  const IrzTissueBox *box = field->box;
  double low[3], high[3], longest = 0;
  for (int k = 0; k < 3; k++) {
    low[k] = INFINITY, high[k] = -INFINITY;
    for (int p = 0; p < box->n_needles; p++) {
      double tip = box->needle[p].tip[k], start = tip + metal_end(&box->needle[p]) * box->needle[p].axis[k];
      low[k] = fmin(low[k], fmin(tip, start) - LABEL_REACH);
      high[k] = fmax(high[k], fmax(tip, start) + LABEL_REACH);
    }
    for (int p = 0; p < box->n_plates; p++) include_plate(&box->plate[p], k, &low[k], &high[k]);
    bool clamped = irz_box_holes(box) == 0;
    low[k] = clamped ? box->lower[k] : fmax(low[k], box->lower[k]);
    high[k] = clamped ? box->upper[k] : fmin(high[k], box->upper[k]);
    longest = fmax(longest, high[k] - low[k]);
  }
  double voxel = fmin(labels->spacing[0], fmin(labels->spacing[1], labels->spacing[2]));
  field->label_step = fmax(voxel, longest / LABEL_CELLS);
  field->label_finest = field->label_step;
  for (int k = 0; k < 3; k++) {
    field->label_origin[k] = low[k];
    field->label_size[k] = (int)fmax(1, ceil((high[k] - low[k]) / field->label_step));
  }
}

/// Mark the cells beside a change of tissue with distance 0, all others with infinity.
/// @return whether there are any
static bool mark_changes(IrzSizeField *field, const uint8_t *tissue) {
  bool any = false;
  const int *size = field->label_size;
  for (int k = 0; k < size[2]; k++) {
    for (int j = 0; j < size[1]; j++) {
      for (int i = 0; i < size[0]; i++) {
        size_t cell = label_cell(field, i, j, k);
        bool change = (i > 0 && tissue[cell] != tissue[label_cell(field, i - 1, j, k)]) ||
                      (j > 0 && tissue[cell] != tissue[label_cell(field, i, j - 1, k)]) ||
                      (k > 0 && tissue[cell] != tissue[label_cell(field, i, j, k - 1)]);
        field->label_distance[cell] = change ? 0 : INFINITY;
        any = any || change;
      }
    }
  }
  return any;
}

/// A neighbour that a pass over the grid has visited before.
typedef struct {
  int x, y, z;    ///< steps to it
  ptrdiff_t cell; ///< the same in cells
  float apart;    ///< m
} Visited;

/// One pass of the chamfer distance transform, forwards (direction 1) or backwards (-1).
static void spread_distance(const IrzSizeField *field, float *grid, int direction) {
  const int *size = field->label_size;
  Visited visited[13]; /* the half of the 26 neighbours */
  for (int n = 0; n < 13; n++) {
    Visited *next = &visited[n];
    *next = (Visited){n % 3 - 1, n / 3 % 3 - 1, -1, 0, 0};
    if (n >= 9) *next = n < 12 ? (Visited){n - 10, -1, 0, 0, 0} : (Visited){-1, 0, 0, 0, 0};
    next->apart = (float)(sqrt(abs(next->x) + abs(next->y) + abs(next->z)) * field->label_step);
    next->x *= direction, next->y *= direction, next->z *= direction;
    next->cell = ((ptrdiff_t)next->z * size[1] + next->y) * size[0] + next->x;
  }
  for (int c = 0; c < size[2]; c++) {
    for (int b = 0; b < size[1]; b++) {
      for (int a = 0; a < size[0]; a++) {
        int i = direction > 0 ? a : size[0] - 1 - a, j = direction > 0 ? b : size[1] - 1 - b;
        int k = direction > 0 ? c : size[2] - 1 - c;
        bool within = a > 0 && b > 0 && c > 0 && a + 1 < size[0] && b + 1 < size[1];
        float *here = &grid[label_cell(field, i, j, k)], least = *here;
        for (int n = 0; n < 13; n++) {
          const Visited *next = &visited[n];
          int x = i + next->x, y = j + next->y, z = k + next->z;
          if (!within && (x < 0 || y < 0 || z < 0 || x >= size[0] || y >= size[1] || z >= size[2])) continue;
          float there = here[next->cell] + next->apart;
          least = there < least ? there : least;
        }
        *here = least;
      }
    }
  }
}

/// Smooth the tissues where the grid is.
static IrzCode smooth_labels(IrzSizeField *field, const IrzLabelMap *labels, const uint8_t *of_region,
                             IrzError *error) {
  double low[3], high[3];
  for (int k = 0; k < 3; k++) { /* a little more, so that faces of the box are inside */
    low[k] = field->label_origin[k] - 0.01 * field->label_step;
    high[k] = field->label_origin[k] + (field->label_size[k] + 0.01) * field->label_step;
  }
  IRZ_TRY(irz_alloc(&field->tissue_of, (size_t)labels->n_regions, 1, error));
  memcpy(field->tissue_of, of_region, (size_t)labels->n_regions);
  field->labels = labels;
  for (int r = 0; r < labels->n_regions; r++) {
    if (of_region[r] >= IRZ_SMOOTH_MAX) return IRZ_OK;
  }
  return irz_smooth_create(labels, of_region, low, high, &field->smooth, error);
}

/// Sum of the two curvatures of the surface of the tissue at a point, 1/m: the divergence of the unit normal.
static double curvature(const IrzSmoothLabels *smooth, const double x[3], double step) {
  int tissue = irz_smooth_tissue(smooth, x);
  double sum = 0;
  for (int k = 0; k < 3 && tissue >= 0; k++) {
    for (int side = -1; side <= 1; side += 2) {
      double at[3] = {x[0], x[1], x[2]}, gradient[3];
      at[k] += side * step;
      irz_smooth_value(smooth, tissue, at, gradient);
      double length = sqrt(irz_dot(gradient, gradient));
      if (length > 0) sum += side * gradient[k] / (2 * step * length);
    }
  }
  return fabs(sum);
}

/// Find how small elements should be where surfaces are bent: there edges of this many radii are short enough to follow
/// a cylinder, half of that a ball.
static IrzCode measure_bends(IrzSizeField *field, IrzError *error) {
  const int *size = field->label_size;
  size_t n_cells = (size_t)size[0] * (size_t)size[1] * (size_t)size[2];
  bool any = false;
  IRZ_TRY(irz_alloc(&field->label_bend, n_cells, sizeof *field->label_bend, error));
  for (int k = 0; k < size[2]; k++) {
    for (int j = 0; j < size[1]; j++) {
      for (int i = 0; i < size[0]; i++) {
        const int at[3] = {i, j, k};
        double x[3], wanted = INFINITY;
        size_t cell = label_cell(field, i, j, k);
        for (int d = 0; d < 3; d++) x[d] = field->label_origin[d] + (at[d] + 0.5) * field->label_step;
        if (field->label_distance[cell] <= 0)
          wanted = LABEL_RADII / curvature(&field->smooth, x, 2 * field->label_step) / field->sizing.growth;
        any = any || wanted < 1;
        field->label_bend[cell] = (float)fmin(wanted, 1);
      }
    }
  }
  if (!any) { /* planes */
    free(field->label_bend);
    field->label_bend = NULL;
    return IRZ_OK;
  }
  spread_distance(field, field->label_bend, 1);
  spread_distance(field, field->label_bend, -1);
  return IRZ_OK;
}

/// Find how far each cell around the bare metal is from a change of tissue.
static IrzCode measure_labels(IrzSizeField *field, const IrzPlan *plan, const IrzLabelMap *labels, IrzError *error) {
  uint8_t *tissue, of_region[IRZ_LABEL_MAX_REGIONS + 1] = {0};
  const int *size = field->label_size;
  place_label_grid(field, labels);
  for (int r = 0; r < labels->n_regions; r++) of_region[r] = (uint8_t)irz_plan_tissue(plan, labels->regions[r].name);
  size_t n_cells = (size_t)size[0] * (size_t)size[1] * (size_t)size[2];
  IRZ_TRY(irz_alloc(&tissue, n_cells, sizeof *tissue, error));
  IrzCode code = irz_alloc(&field->label_distance, n_cells, sizeof *field->label_distance, error);
  for (int k = 0; k < size[2] && code == IRZ_OK; k++) {
    for (int j = 0; j < size[1]; j++) {
      for (int i = 0; i < size[0]; i++) {
        const double x[3] = {field->label_origin[0] + (i + 0.5) * field->label_step,
                             field->label_origin[1] + (j + 0.5) * field->label_step,
                             field->label_origin[2] + (k + 0.5) * field->label_step};
        tissue[label_cell(field, i, j, k)] = of_region[irz_label_map_region(labels, x)];
      }
    }
  }
  if (code == IRZ_OK) {
    if (mark_changes(field, tissue)) {
      spread_distance(field, field->label_distance, 1);
      spread_distance(field, field->label_distance, -1);
      code = smooth_labels(field, labels, of_region, error);
      if (code == IRZ_OK && field->smooth.tissue != NULL) code = measure_bends(field, error);
    } else { /* one tissue: the mesh is the same as without a map */
      irz_size_field_clear(field);
    }
  }
  free(tissue);
  return code;
}

IrzCode irz_size_field_init(IrzSizeField *field, const IrzTissueBox *box, const IrzMeshSizing *sizing,
                            const IrzPlan *plan, const IrzLabelMap *labels, IrzError *error) {
  memset(field, 0, sizeof *field);
  field->box = box;
  field->sizing = *sizing;
  IrzCode code = labels == NULL ? IRZ_OK : measure_labels(field, plan, labels, error);
  if (code != IRZ_OK) irz_size_field_clear(field);
  return code;
}

void irz_size_field_clear(IrzSizeField *field) {
  free(field->label_distance);
  free(field->label_bend);
  free(field->tissue_of);
  irz_smooth_clear(&field->smooth);
  field->label_distance = NULL;
  field->label_bend = NULL;
  field->tissue_of = NULL;
  field->labels = NULL;
}
