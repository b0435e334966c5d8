/// @file
/// Whether the needles of a plan can be placed as it says: how deep, through what, past what.
#ifndef IREZONE_NEEDLES_H
#define IREZONE_NEEDLES_H

#include <irezone/anatomy.h>
#include <irezone/plan.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IRZ_MAX_CLEARANCES 16 ///< regions that a plan can have needles avoid

/// A region that a needle runs in between its tip and the skin.
typedef struct {
  char region[IRZ_NAME_MAX];
  double length; ///< m, of the axis
  double metal;  ///< m, of this, bare metal
  bool avoided;  ///< the plan says that needles must not cross it
} IrzCrossed;

/// How near a needle comes to a region that it has to avoid.
typedef struct {
  char region[IRZ_NAME_MAX];
  double distance; ///< m, from the needle's wall to the region's surface; 0: it touches or crosses it
  double at[3];    ///< m, the place on the region's surface
  bool smooth;     ///< that surface is smooth; false: the faces of its voxels, off by up to half a voxel
} IrzClearance;

/// A needle, which may have several electrodes.
typedef struct {
  char name[IRZ_NAME_MAX];
  double length;   ///< m, from the tip to the skin; NaN: not known
  double entry[3]; ///< m, where it enters the skin; NaN: not known
  int n_crossed;
  IrzCrossed *crossed; ///< [n_crossed] owned
  int n_clearances;
  IrzClearance clearance[IRZ_MAX_CLEARANCES];
  bool allowed; ///< it is long enough, crosses nothing that it must avoid, and keeps its clearance
} IrzNeedle;

typedef struct {
  int n;
  IrzNeedle needle[IRZ_MAX_PROBES];
} IrzNeedleChecks;

/// Check the needles of a plan against its `patient.needles` and a label map. The skin is where the axis first leaves
/// the region `skin` towards the handle into no region of the map or out of the image; without `skin` it is where the
/// plan's markups have the needle enter.
/// @param[in,out] plan    gets a warning for each thing that is not allowed, and for what cannot be meant
/// @param[in]     map     its label map; NULL: only lengths that markups state are known
/// @param[out]    checks  to be released with irz_needles_free(); NULL on failure, and without `patient.needles`
/// @return IRZ_OK, IRZ_ERR_PLAN (a region of which the map has no voxel) or IRZ_ERR_MEMORY
IRZ_API IrzCode irz_needles_check(IrzPlan *plan, const IrzLabelMap *map, IrzNeedleChecks **checks, IrzError *error);

/// Print a table; NULL is allowed.
IRZ_API void irz_needles_print(const IrzNeedleChecks *checks, FILE *out);

/// Free; NULL is allowed.
IRZ_API void irz_needles_free(IrzNeedleChecks *checks);

#ifdef __cplusplus
}
#endif
#endif
