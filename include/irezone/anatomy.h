/// @file
/// Tissue from a patient's label map (NIfTI-1, NRRD, or a segmentation of 3D Slicer), for generated and for loaded
/// meshes; in a loaded mesh it takes the place of the mesh's own regions.
#ifndef IREZONE_ANATOMY_H
#define IREZONE_ANATOMY_H

#include <irezone/error.h>
#include <irezone/mesh.h>
#include <irezone/paths.h>
#include <irezone/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IRZ_LABEL_MAX_REGIONS 255  ///< regions of a label map, "default" included
#define IRZ_LABEL_MIXED 255        ///< in IrzLabelMap::block: more than one region
#define IRZ_LABEL_MAX_UNMAPPED 256 ///< labels that are counted although they are mapped to no region
#define IRZ_LABEL_MAX_LEVELS 16    ///< levels of IrzLabelMap::block
#define IRZ_LABEL_NAME_MAX 128     ///< longest name of a label, with its zero

/// What is known of a label of an image: what the file, or the plan's `anatomy.names`, says of it, and what the plan
/// maps it to.
typedef struct {
  int64_t value;                 ///< the number in the voxels
  int layer;                     ///< which of the layers of a segmentation has it; -1: any
  int region;                    ///< region of the map; -1: the plan does not map it
  float color[3];                ///< red, green, blue, 0 to 1; negative: not stated
  char name[IRZ_LABEL_NAME_MAX]; ///< "" if it has none
} IrzLabelInfo;

/// A label that occurs in an image but not in the plan's map; the background, label 0, does not count.
typedef struct {
  int64_t label, voxels;
  int layer;                     ///< of the image that it is in; 0 if that has one
  char name[IRZ_LABEL_NAME_MAX]; ///< "" if it has none
  double nearest; ///< m, from the bare metal of the plan that the map was read for, if within a few centimetres
} IrzUnmapped;

/// A label map. World coordinates are the image's RAS frame, in m; a plan's probes are in it too, those that the plan
/// states in LPS having been converted when it was read.
struct IrzLabelMap {
  int size[3];           ///< voxels along i, j, k
  double to_voxel[3][4]; ///< (i, j, k) = to_voxel (x, y, z, 1); voxel centres have whole numbers
  double to_world[3][4]; ///< the inverse
  double spacing[3];     ///< m, edge lengths of a voxel
  int n_regions;         ///< regions that can occur; region 0 is "default"
  IrzGroup *regions;     ///< [n_regions] names; tag = the first label mapped to it (0 for default)
  int64_t *voxels;       ///< [n_regions] voxels of each region
  uint8_t *region;       ///< [size[2]][size[1]][size[0]] region of each voxel, after the plan's map

  int layers;           ///< numbers that the file has at each voxel
  int n_labels;         ///< labels that are named or mapped
  IrzLabelInfo *labels; ///< [n_labels] in the order of the file, then of the plan

  int n_unmapped;                               ///< labels below; further ones are left out
  IrzUnmapped unmapped[IRZ_LABEL_MAX_UNMAPPED]; ///< [n_unmapped]

  int n_levels;                         ///< levels of `block`
  uint8_t *block[IRZ_LABEL_MAX_LEVELS]; ///< [level]: region of each cube of 2^(level+1) voxels, or IRZ_LABEL_MIXED
  int blocks[IRZ_LABEL_MAX_LEVELS][3];  ///< [level]: cubes along i, j, k; those at the upper faces are cut off
};

/// Read the label map of a plan and apply its `map`.
/// @param[in]  plan   plan with `anatomy`; gets a warning for every mapped label that does not occur, and where
/// segments
///                    overlap; there the label counts that stands last in `map`
/// @param[out] map    the label map; NULL on failure
/// @param[out] error  what is wrong with the image or the map
/// @return IRZ_OK, IRZ_ERR_PLAN (no region of a tissue's name, too many regions) or IRZ_ERR_INPUT
IRZ_API IrzCode irz_label_map_read(IrzPlan *plan, IrzLabelMap **map, IrzError *error);

/// Region at a point: that of the nearest voxel centre; 0 outside the image. Called for every quadrature point.
/// @param[in] map  label map
/// @param[in] x    point in the image's RAS frame, m
static inline int irz_label_map_region(const IrzLabelMap *map, const double x[3]) {
  size_t index[3];

  for (int d = 0; d < 3; d++) {
    const double *row = map->to_voxel[d];
    double v = row[0] * x[0] + row[1] * x[1] + row[2] * x[2] + row[3] + 0.5;

    if (!(v >= 0 && v < map->size[d])) return 0;
    index[d] = (size_t)v;
  }
  return map->region[(index[2] * (size_t)map->size[1] + index[1]) * (size_t)map->size[0] + index[0]];
}

/// The region of a whole box, if it has only one: points of a box that is uniform need not be looked up one by one.
/// Never wrong about a uniform box; a box that is not along the image's axes may be called mixed because of a voxel
/// just beside it.
/// @param[in] map   label map
/// @param[in] low   lower corner in the image's RAS frame, m
/// @param[in] high  upper corner, m
/// @return the region, or -1 if there may be more than one
IRZ_API int irz_label_map_uniform(const IrzLabelMap *map, const double low[3], const double high[3]);

/// Add up how far a line runs in each region.
/// @param[in]     start, axis  its start, m, and its direction, a unit vector
/// @param[in]     from, to     the part of it, m from the start
/// @param[in,out] length       [map->n_regions + 1] m, the last one outside the image
IRZ_API void irz_label_map_line(const IrzLabelMap *map, const double start[3], const double axis[3], double from,
                                double to, double *length);

/// Find where the needles of a plan lie. Probes without geometry and plates have rows of zeros.
/// @param[out] paths  to be released with irz_paths_free(); NULL on failure
/// @return IRZ_OK or IRZ_ERR_MEMORY
IRZ_API IrzCode irz_paths_find(const IrzPlan *plan, const IrzLabelMap *map, IrzPaths **paths, IrzError *error);

/// Distance from bare metal to the nearest voxel centre of a region, m; infinite if there is none.
IRZ_API double irz_label_map_nearest(const IrzLabelMap *map, const IrzPlan *plan, int region);

/// Warn a plan of what cannot be meant: metal outside the image or in no mapped region, with what would explain it
/// (another frame, other units, a reversed needle); needles in vessels and ducts; tumours that no needle is near;
/// labels that look swapped, and such that are not mapped although they are near.
/// @param[in,out] plan   gets the warnings
/// @param[in]     paths  of this plan in this map
IRZ_API void irz_anatomy_doubt(IrzPlan *plan, const IrzLabelMap *map, const IrzPaths *paths);

/// Print how large each mapped region is, and how far from the nearest bare metal.
IRZ_API void irz_label_map_print(const IrzLabelMap *map, const IrzPlan *plan, FILE *out);

/// Let all ranks have the map that rank 0 read. Collective.
/// @param[in]     comm   communicator
/// @param[in,out] map    rank 0: the map, or NULL if there is none; other ranks: NULL on entry, a copy on return
/// @param[out]    error  no memory on some rank; the maps of all ranks but 0 are NULL then
/// @return the common code
IRZ_API IrzCode irz_label_map_share(MPI_Comm comm, IrzLabelMap **map, IrzError *error);

/// Read the label map and the mesh that a plan names, if it names any, and check them for it: what a run would find
/// only after it has begun. Warnings are added to the plan.
/// @param[out] map    the label map, to be freed; NULL if there is none; may be NULL
/// @param[out] paths  where the needles lie in it, to be freed; NULL if there is none; may be NULL
/// @return IRZ_OK, IRZ_ERR_PLAN or IRZ_ERR_INPUT
IRZ_API IrzCode irz_plan_check_files(IrzPlan *plan, IrzLabelMap **map, IrzPaths **paths, IrzError *error);

/// Free a label map; NULL is allowed.
IRZ_API void irz_label_map_free(IrzLabelMap *map);

#ifdef __cplusplus
}
#endif
#endif
