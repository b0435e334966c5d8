/* A surface of triangles that answers how far points are from it and on which side. */
#ifndef IREZONE_PATIENT_TREE_H
#define IREZONE_PATIENT_TREE_H

#include <irezone/session.h>
#include <stdbool.h>

/// A box with triangles; small, as distances look at many.
typedef struct {
  float low[3], high[3]; ///< m from the tree's origin, not less than the box
  int32_t first, count;  ///< of a leaf its triangles; count 0: an inner one, whose children are the next and `first`
} IrzTreeBox;

/// What the triangles of a box are from far away.
typedef struct {
  double normal[3]; ///< m^2, sum of their areas times their normals
  double middle[3]; ///< m, mean of their places, weighted by area
  double radius;    ///< m, they are no further from there
} IrzTreeSum;

/// Boxes in boxes around the triangles of a surface.
typedef struct {
  int32_t n_triangles;
  double (*corner)[3][3]; ///< [n_triangles] m
  double (*normal)[3];    ///< [n_triangles] unit vectors; 0: no area
  int32_t *triangle;      ///< [n_triangles] its place in the surface
  int32_t n_nodes;
  IrzTreeBox *box;        ///< [n_nodes], the first one around all
  IrzTreeSum *sum;        ///< [n_nodes]
  double low[3], high[3]; ///< m, around all
  double origin[3];       ///< m
  double area;            ///< m^2
} IrzTree;

/// Make a tree.
/// @param[in]  surface  seen counter-clockwise from outside; it may have holes
/// @param[in]  keep     [n_triangles] 0: the triangle is left out; NULL: none is
/// @param[out] tree     to be released with irz_tree_clear()
IrzCode irz_tree_create(const IrzSurface *surface, const uint8_t *keep, IrzTree *tree, IrzError *error);

void irz_tree_clear(IrzTree *tree);

/// Distance of a point from the nearest triangle, m; infinite if there is none within reach.
/// @param[in]  reach    m; INFINITY: any
/// @param[out] nearest  the place on the surface; may be NULL; unchanged if there is none
double irz_tree_distance(const IrzTree *tree, const double x[3], double reach, double nearest[3]);

/// How often the surface winds around a point: 1 inside, 0 outside, in between near its holes. Triangles that are far
/// away count together (G. Barill and others, Fast winding numbers for soups and clouds, 2018), to within some percent.
double irz_tree_winding(const IrzTree *tree, const double x[3]);

/// Distance with a sign, positive inside, m; -infinity without triangles.
/// @param[in] reach  m, no less than the distance: INFINITY, or what a place nearby tells
double irz_tree_depth(const IrzTree *tree, const double x[3], double reach);

#endif
