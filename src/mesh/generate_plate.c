/* Two parallel plates: metal blocks inside the box, or two of its walls. Gmsh meshes their flat faces. */
#include "mesh/generate.h"

#include <math.h>
#include <string.h>

/// Edge lengths on a plate and at its edges, as shares of the smallest of width, height and gap.
#define ON_PLATE 0.25
#define AT_EDGES 0.05

/// What elements grow by with distance.
#define GROWTH 0.33

/// Smallest thickness of the tissue box between plates, in edge lengths.
#define ACROSS_GAP 2

double irz_plate_length(const IrzPlan *plan) {
  const IrzProbe *plate = &plan->probes[0];
  return fmin(irz_plan_distance(plan, 0, 1), fmin(plate->plate[0], plate->plate[1]));
}

void irz_plate_sizing(const IrzPlan *plan, double scale, IrzMeshSizing *sizing) {
  double length = irz_plate_length(plan);
  sizing->metal = ON_PLATE * length * scale;
  sizing->ends = AT_EDGES * length * scale;
  sizing->growth = GROWTH * scale;
  if (irz_plates_clamp(plan)) sizing->far = fmin(sizing->far, irz_plan_distance(plan, 0, 1) / ACROSS_GAP);
}

void irz_plates_place(const IrzPlan *plan, IrzTissueBox *box) {
  if (!irz_plates_clamp(plan)) {
    for (int p = 0; p < 2; p++) {
      box->plate[p] = plan->probes[p];
      box->hole_of[p] = p;
    }
    box->n_plates = 2;
    return;
  }
  for (int p = 0; p < 2; p++) {
    const IrzProbe *probe = &plan->probes[p];
    box->hole_of[p] = 0;
    for (int k = 0; k < 3; k++) {
      if (fabs(probe->direction[k]) < 0.5) continue;
      bool up = probe->direction[k] > 0;
      (up ? box->upper : box->lower)[k] = probe->tip[k];
      box->face_surface[2 * k + up] = 2 * p;
    }
  }
}

double irz_plate_size(const IrzMeshSizing *sizing, const IrzProbe *plate, const double x[3]) {
  double d[3], up[3], at[3] = {0}, out = 0, inside[3];
  for (int k = 0; k < 3; k++) {
    int i = (k + 1) % 3, j = (k + 2) % 3;
    d[k] = x[k] - plate->tip[k];
    up[k] = plate->direction[i] * plate->side[j] - plate->direction[j] * plate->side[i];
  }
  for (int k = 0; k < 3; k++) {
    at[0] += d[k] * plate->side[k];
    at[1] += d[k] * up[k];
    at[2] += d[k] * plate->direction[k];
  }
  at[2] -= 0.5 * plate->exposure;
  const double half[3] = {0.5 * plate->plate[0], 0.5 * plate->plate[1], 0.5 * plate->exposure};
  for (int k = 0; k < 3; k++) {
    double beyond = fmax(fabs(at[k]) - half[k], 0);
    inside[k] = fmax(half[k] - fabs(at[k]), 0);
    out += beyond * beyond;
  }
  /* On the nearest point of the plate one of the three is 0; the next smallest is the distance to an edge. */
  double least = fmin(inside[0], fmin(inside[1], inside[2])), most = fmax(inside[0], fmax(inside[1], inside[2]));
  double to_edge = inside[0] + inside[1] + inside[2] - least - most;
  return fmin(sizing->metal, sizing->ends + sizing->growth * to_edge) + sizing->growth * sqrt(out);
}
