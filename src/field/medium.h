/* Which tissue is where: the region of every quadrature point of a part of a mesh.

   Most tetrahedra are straight and lie in one region: the fast kernel takes them with the four-point rule. The others,
   curved ones and those through which a label map's boundary runs, are "general": each has a list of points of its own.
 */
#ifndef IREZONE_FIELD_MEDIUM_H
#define IREZONE_FIELD_MEDIUM_H

#include "part/part.h"
#include <irezone/anatomy.h>

/// A quadrature rule on the tetrahedron in barycentric coordinates; the weights sum to 1.
typedef struct {
  int count;
  const double (*point)[4];
  const double *weight;
} IrzRule;

/// The map of a curved tetrahedron at a quadrature point: irz_inverse_map().
typedef struct {
  double inverse[3][3]; ///< 1/m
  double det;           ///< m^3
} IrzMap;

typedef struct {
  const IrzPart *part;
  int n_regions;     ///< regions of the mesh, or of the label map
  IrzGroup *regions; ///< [n_regions]
  uint8_t *region;   ///< [n_tets] of the fast tetrahedra; of a general one, that of most of its points
  int32_t *general;  ///< [n_tets] 0: fast, else 1 + index into the lists below
  int32_t n_general;
  int32_t *tet;          ///< [n_general] increasing
  uint8_t *mixed;        ///< [n_general] 1: more than one region inside; takes the finer rule
  uint8_t *bent;         ///< [n_general] 1: curved
  int32_t *first_point;  ///< [n_general + 1]
  uint8_t *point_region; ///< [first_point[n_general]]
  int32_t *first_map;    ///< [n_general] of a curved one, the first of its points in `map`
  IrzMap *map;           ///< points of the curved ones: worked out once, needed in every assembly
} IrzMedium;

/// Barycentric coordinates of the fast rule's points: (5 + 3 sqrt 5) / 20 at one vertex, (5 - sqrt 5) / 20 at the
/// others.
#define IRZ_RULE_FAR 0.58541019662496845446
#define IRZ_RULE_NEAR 0.13819660112501051518

/// The four-point rule of degree 2 of the fast kernel (Hammer and Stroud 1956).
extern const IrzRule irz_rule_fast;

/// 14 points of degree 5 with positive weights (Walkington 2000).
extern const IrzRule irz_rule_fine;

/// Rule of a general tetrahedron: irz_rule_fast if it is curved, as degree 2 is enough for quadratic elements that are
/// bent little (P. G. Ciarlet, The finite element method for elliptic problems, 1978, section 4.4), or the four-point
/// rule on each of its 8 children if a region's boundary runs through it.
const IrzRule *irz_medium_rule(const IrzMedium *medium, int32_t general);

/// Positions of the ten nodes of a tetrahedron, m.
void irz_part_nodes(const IrzPart *part, int32_t tet, int32_t curved, double node[10][3]);

/// Position of a point in a tetrahedron, m.
/// @param[in] node  [10][3] its nodes, m
/// @param[in] bent  false: straight edges, which is cheaper
/// @param[in] l     barycentric coordinates
void irz_tet_position(double node[10][3], bool bent, const double l[4], double x[3]);

/// Volume between four corners, m^3.
double irz_tet_volume(const double a[3], const double b[3], const double c[3], const double d[3]);

/// Sort the tetrahedra out. Local.
/// @param[in]  part    the part; must outlive the medium
/// @param[in]  labels  label map, or NULL: the mesh's own regions
IrzCode irz_medium_create(const IrzPart *part, const IrzLabelMap *labels, IrzMedium **medium, IrzError *error);

void irz_medium_free(IrzMedium *medium);

#endif
