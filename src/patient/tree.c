/* Distances from a surface of triangles; see tree.h. */
#include "patient/tree.h"
#include "base/memory.h"
#include "base/vector.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  LEAF = 4,    // triangles of a leaf at most
  DEEPEST = 64 // boxes in boxes at most: each halves the triangles
};

/// Triangles that are further away than so many times their extent count together in a winding number.
static const double far = 2.3;

/* ---- Making ---- */

/// A triangle while the tree is made.
typedef struct {
  double centre[3];
  int32_t at;
} Item;

/// Put the items with the smaller coordinates first, up to the k-th (quickselect).
static void select_item(Item *item, int32_t n, int32_t k, int axis) {
  int32_t low = 0, high = n - 1;
  while (low < high) {
    double pivot = item[low + (high - low) / 2].centre[axis];
    int32_t i = low, j = high;
    while (i <= j) {
      while (item[i].centre[axis] < pivot) i++;
      while (item[j].centre[axis] > pivot) j--;
      if (i <= j) {
        Item swap = item[i];
        item[i++] = item[j];
        item[j--] = swap;
      }
    }
    if (k <= j)
      high = j;
    else if (k >= i)
      low = i;
    else
      return;
  }
}

/// The longest side of the box around the items' centres.
static int longest_side(const Item *item, int32_t n) {
  double low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY};
  int best = 0;
  for (int32_t i = 0; i < n; i++) {
    for (int d = 0; d < 3; d++) {
      low[d] = fmin(low[d], item[i].centre[d]);
      high[d] = fmax(high[d], item[i].centre[d]);
    }
  }
  for (int d = 1; d < 3; d++) {
    if (high[d] - low[d] > high[best] - low[best]) best = d;
  }
  return best;
}

/// Make the boxes of some items, parents before children.
static void split(IrzTree *tree, Item *item, int32_t first, int32_t n) {
  IrzTreeBox *node = &tree->box[tree->n_nodes++];
  if (n <= LEAF) {
    node->first = first;
    node->count = n;
    return;
  }
  int32_t half = n / 2;
  select_item(item + first, n, half, longest_side(item + first, n));
  split(tree, item, first, half);
  node->first = tree->n_nodes;
  split(tree, item, first + half, n - half);
}

/// Half the product of two edges: the area times the normal.
static void area_normal(double corner[3][3], double normal[3]) {
  double a[3], b[3];
  irz_subtract(corner[1], corner[0], a);
  irz_subtract(corner[2], corner[0], b);
  irz_cross(a, b, normal);
  for (int d = 0; d < 3; d++) normal[d] *= 0.5;
}

/// Fill in what a box says about its triangles [first, end).
static void measure(const IrzTree *tree, IrzTreeBox *box, IrzTreeSum *sum, int32_t first, int32_t end) {
  double all = 0, low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY};
  *sum = (IrzTreeSum){.radius = 0};
  for (int32_t t = first; t < end; t++) {
    double normal[3];
    area_normal(tree->corner[t], normal);
    double area = sqrt(irz_dot(normal, normal)) + 1e-30;
    all += area;
    for (int d = 0; d < 3; d++) {
      sum->normal[d] += normal[d];
      for (int k = 0; k < 3; k++) {
        double x = tree->corner[t][k][d];
        low[d] = fmin(low[d], x);
        high[d] = fmax(high[d], x);
        sum->middle[d] += area * x / 3;
      }
    }
  }
  for (int d = 0; d < 3; d++) {
    sum->middle[d] /= all;
    box->low[d] = nextafterf((float)(low[d] - tree->origin[d]), -INFINITY);
    box->high[d] = nextafterf((float)(high[d] - tree->origin[d]), INFINITY);
  }
  double most = 0;
  for (int32_t t = first; t < end; t++) {
    for (int k = 0; k < 3; k++) {
      double away[3];
      irz_subtract(tree->corner[t][k], sum->middle, away);
      most = fmax(most, irz_dot(away, away));
    }
  }
  sum->radius = sqrt(most);
}

/// Fill in the boxes from one on.
/// @return the end of its triangles
static int32_t measure_all(const IrzTree *tree, int32_t at, int32_t first) {
  IrzTreeBox *box = &tree->box[at];
  int32_t end = box->count > 0 ? first + box->count : 0;
  if (box->count == 0) end = measure_all(tree, box->first, measure_all(tree, at + 1, first));
  measure(tree, box, &tree->sum[at], first, end);
  return end;
}

/// Take over the triangles in their order.
static void take_triangles(IrzTree *tree, const IrzSurface *surface, const Item *item) {
  for (int d = 0; d < 3; d++) {
    tree->low[d] = INFINITY;
    tree->high[d] = -INFINITY;
  }
  for (int32_t i = 0; i < tree->n_triangles; i++) {
    tree->triangle[i] = item[i].at;
    for (int k = 0; k < 3; k++) {
      const double *x = surface->points[surface->triangles[item[i].at][k]];
      memcpy(tree->corner[i][k], x, sizeof tree->corner[i][k]);
      for (int d = 0; d < 3; d++) {
        tree->low[d] = fmin(tree->low[d], x[d]);
        tree->high[d] = fmax(tree->high[d], x[d]);
      }
    }
    area_normal(tree->corner[i], tree->normal[i]);
    double area = sqrt(irz_dot(tree->normal[i], tree->normal[i]));
    tree->area += area;
    for (int d = 0; d < 3; d++) tree->normal[i][d] *= area > 0 ? 1 / area : 0;
  }
  for (int d = 0; d < 3; d++) tree->origin[d] = 0.5 * (tree->low[d] + tree->high[d]);
}

IrzCode irz_tree_create(const IrzSurface *surface, const uint8_t *keep, IrzTree *tree, IrzError *error) {
  Item *item = NULL;
  size_t most = (size_t)surface->n_triangles;
  *tree = (IrzTree){0};
  IrzCode code = irz_alloc(&item, most, sizeof *item, error);
  if (code == IRZ_OK) code = irz_alloc(&tree->corner, most, sizeof *tree->corner, error);
  if (code == IRZ_OK) code = irz_alloc(&tree->triangle, most, sizeof *tree->triangle, error);
  if (code == IRZ_OK) code = irz_alloc(&tree->normal, most, sizeof *tree->normal, error);
  if (code == IRZ_OK) code = irz_alloc(&tree->box, most + 1, sizeof *tree->box, error);
  if (code == IRZ_OK) code = irz_alloc(&tree->sum, most + 1, sizeof *tree->sum, error);
  int32_t n = 0;
  for (int32_t t = 0; code == IRZ_OK && t < surface->n_triangles; t++) {
    if (keep != NULL && !keep[t]) continue;
    item[n] = (Item){.at = t};
    for (int k = 0; k < 3; k++) {
      for (int d = 0; d < 3; d++) item[n].centre[d] += surface->points[surface->triangles[t][k]][d] / 3;
    }
    n++;
  }
  if (code == IRZ_OK && n > 0) {
    tree->n_triangles = n;
    split(tree, item, 0, n);
    take_triangles(tree, surface, item);
    measure_all(tree, 0, 0);
  }
  free(item);
  if (code != IRZ_OK) irz_tree_clear(tree);
  return code;
}

void irz_tree_clear(IrzTree *tree) {
  free(tree->corner);
  free(tree->triangle);
  free(tree->normal);
  free(tree->box);
  free(tree->sum);
  *tree = (IrzTree){0};
}

/* ---- Distance ---- */

/// The place of an edge that is nearest to a point; kept if it is nearer than what was found before.
static void try_edge(const double a[3], const double b[3], const double x[3], double *least, double place[3]) {
  double edge[3], to[3], here[3], away[3];
  irz_subtract(b, a, edge);
  irz_subtract(x, a, to);
  double length = irz_dot(edge, edge), s = length > 0 ? irz_dot(edge, to) / length : 0;
  s = s < 0 ? 0 : s > 1 ? 1 : s;
  for (int d = 0; d < 3; d++) here[d] = a[d] + s * edge[d];
  irz_subtract(x, here, away);
  double distance = irz_dot(away, away);
  if (distance >= *least) return;
  *least = distance;
  memcpy(place, here, sizeof here);
}

/// The place of a triangle that is nearest to a point: in its plane if the point is above it, else on an edge.
/// @param[in] normal  unit vector, or 0
/// @param[in] height  of the point above the plane, m
static void nearest_in(double corner[3][3], const double normal[3], double height, const double x[3], double place[3]) {
  double least = INFINITY;
  bool above = irz_dot(normal, normal) > 0;
  for (int k = 0; k < 3 && above; k++) {
    double edge[3], to[3], out[3];
    irz_subtract(corner[(k + 1) % 3], corner[k], edge);
    irz_subtract(x, corner[k], to);
    irz_cross(edge, to, out);
    above = irz_dot(out, normal) >= 0;
  }
  for (int d = 0; d < 3; d++) place[d] = x[d] - height * normal[d];
  for (int k = 0; k < 3 && !above; k++) try_edge(corner[k], corner[(k + 1) % 3], x, &least, place);
}

/// Square of the distance of a point, from the tree's origin, from a box.
static double box_distance(const IrzTreeBox *box, const float x[3]) {
  float sum = 0;
  for (int d = 0; d < 3; d++) {
    float below = box->low[d] - x[d], above = x[d] - box->high[d];
    float off = below > above ? below : above;
    off = off > 0 ? off : 0;
    sum += off * off;
  }
  return (double)sum * (1 - 1e-6); /* rounded */
}

double irz_tree_distance(const IrzTree *tree, const double x[3], double reach, double nearest[3]) {
  double best = reach * reach, least[DEEPEST], place[3] = {0}, away[3];
  int32_t stack[DEEPEST];
  float at[3];
  int n = 0;
  bool found = false;
  if (tree->n_nodes == 0) return INFINITY;
  for (int d = 0; d < 3; d++) at[d] = (float)(x[d] - tree->origin[d]);
  stack[n] = 0;
  least[n++] = box_distance(&tree->box[0], at);
  while (n > 0) {
    const IrzTreeBox *box = &tree->box[stack[--n]];
    if (least[n] > best) continue;
    for (int32_t t = box->first; t < box->first + box->count; t++) {
      double here[3];
      irz_subtract(x, tree->corner[t][0], away);
      double height = irz_dot(away, tree->normal[t]);
      if (height * height > best) continue;
      nearest_in(tree->corner[t], tree->normal[t], height, x, here);
      irz_subtract(x, here, away);
      double distance = irz_dot(away, away);
      if (distance > best) continue;
      best = distance;
      found = true;
      memcpy(place, here, sizeof place);
    }
    if (box->count > 0) continue;
    int32_t child[2] = {(int32_t)(box - tree->box) + 1, box->first};
    double off[2] = {box_distance(&tree->box[child[0]], at), box_distance(&tree->box[child[1]], at)};
    int near = off[0] <= off[1] ? 0 : 1;
    for (int k = 0; k < 2; k++) { /* the nearer one is looked at first */
      int which = k == 0 ? 1 - near : near;
      if (off[which] > best) continue;
      stack[n] = child[which];
      least[n++] = off[which];
    }
  }
  if (found && nearest != NULL) memcpy(nearest, place, sizeof place);
  return found ? sqrt(best) : INFINITY;
}

/* ---- Sides ---- */

/// Solid angle of a triangle over 4 pi (A. van Oosterom and J. Strackee 1983).
static double solid_angle(double corner[3][3], const double x[3]) {
  double a[3], b[3], c[3], bc[3];
  irz_subtract(corner[0], x, a);
  irz_subtract(corner[1], x, b);
  irz_subtract(corner[2], x, c);
  irz_cross(b, c, bc);
  double la = sqrt(irz_dot(a, a)), lb = sqrt(irz_dot(b, b)), lc = sqrt(irz_dot(c, c));
  double below = la * lb * lc + irz_dot(a, b) * lc + irz_dot(b, c) * la + irz_dot(c, a) * lb;
  return atan2(irz_dot(a, bc), below) / (2 * M_PI);
}

double irz_tree_winding(const IrzTree *tree, const double x[3]) {
  int32_t stack[DEEPEST];
  int n = 0;
  double sum = 0;
  if (tree->n_nodes == 0) return 0;
  stack[n++] = 0;
  while (n > 0) {
    int32_t at = stack[--n];
    const IrzTreeSum *far_off = &tree->sum[at];
    const IrzTreeBox *box = &tree->box[at];
    double away[3];
    irz_subtract(far_off->middle, x, away);
    double square = irz_dot(away, away);
    if (square > far * far * far_off->radius * far_off->radius) {
      sum += irz_dot(away, far_off->normal) / (4 * M_PI * square * sqrt(square));
      continue;
    }
    for (int32_t t = box->first; t < box->first + box->count; t++) sum += solid_angle(tree->corner[t], x);
    if (box->count > 0) continue;
    stack[n++] = box->first;
    stack[n++] = at + 1;
  }
  return sum;
}

double irz_tree_depth(const IrzTree *tree, const double x[3], double reach) {
  if (tree->n_nodes == 0) return -INFINITY;
  double distance = irz_tree_distance(tree, x, reach, NULL);
  return irz_tree_winding(tree, x) >= 0.5 ? distance : -distance;
}
