/* Gmsh, loaded when the first mesh is generated and not before: it brings about eighty libraries of its own, whose
   linking takes 0.14 s of processor time, longer than reading and solving many a mesh. The names below stand for the
   same functions of gmshc.h. */
#ifndef IREZONE_MESH_GMSH_LAZY_H
#define IREZONE_MESH_GMSH_LAZY_H

#include <gmshc.h>
#include <irezone/error.h>
#include <stdbool.h>

/// The functions that are used.
#define IRZ_GMSH_FUNCTIONS(X)                                                                                          \
  X(gmshClear)                                                                                                         \
  X(gmshFinalize)                                                                                                      \
  X(gmshFree)                                                                                                          \
  X(gmshInitialize)                                                                                                    \
  X(gmshLoggerGetLastError)                                                                                            \
  X(gmshModelAdd)                                                                                                      \
  X(gmshModelAddDiscreteEntity)                                                                                        \
  X(gmshModelGeoAddCurveLoop)                                                                                          \
  X(gmshModelGeoAddLine)                                                                                               \
  X(gmshModelGeoAddPlaneSurface)                                                                                       \
  X(gmshModelGeoAddPoint)                                                                                              \
  X(gmshModelGeoAddSurfaceLoop)                                                                                        \
  X(gmshModelGeoAddVolume)                                                                                             \
  X(gmshModelGeoMeshSetTransfiniteCurve)                                                                               \
  X(gmshModelGeoSynchronize)                                                                                           \
  X(gmshModelMeshAddElementsByType)                                                                                    \
  X(gmshModelMeshAddNodes)                                                                                             \
  X(gmshModelMeshGenerate)                                                                                             \
  X(gmshModelMeshGetElementsByType)                                                                                    \
  X(gmshModelMeshGetNodes)                                                                                             \
  X(gmshModelMeshSetSizeCallback)                                                                                      \
  X(gmshOptionSetNumber)

#define IRZ_GMSH_POINTER(name) __typeof__(&(name)) to_##name;
/// Where the functions are, after irz_gmsh_load().
typedef struct {
  IRZ_GMSH_FUNCTIONS(IRZ_GMSH_POINTER)
} IrzGmshFunctions;
#undef IRZ_GMSH_POINTER

extern IrzGmshFunctions irz_gmsh;

/// Load Gmsh's library, once.
/// @return IRZ_OK, IRZ_ERR_INPUT if it is not installed or lacks a function, or IRZ_ERR_MEMORY if it does not fit, or
///         has run out of memory before
IrzCode irz_gmsh_load(IrzError *error);

/// Do something with Gmsh, after irz_gmsh_load().
/// @return false if Gmsh had too little memory: `work` was left where it was, and Gmsh is not to be used again
bool irz_gmsh_guard(void (*work)(void *context), void *context);

#ifndef IRZ_GMSH_LAZY_NO_NAMES
#define gmshClear irz_gmsh.to_gmshClear
#define gmshFinalize irz_gmsh.to_gmshFinalize
#define gmshFree irz_gmsh.to_gmshFree
#define gmshInitialize irz_gmsh.to_gmshInitialize
#define gmshLoggerGetLastError irz_gmsh.to_gmshLoggerGetLastError
#define gmshModelAdd irz_gmsh.to_gmshModelAdd
#define gmshModelAddDiscreteEntity irz_gmsh.to_gmshModelAddDiscreteEntity
#define gmshModelGeoAddCurveLoop irz_gmsh.to_gmshModelGeoAddCurveLoop
#define gmshModelGeoAddLine irz_gmsh.to_gmshModelGeoAddLine
#define gmshModelGeoAddPlaneSurface irz_gmsh.to_gmshModelGeoAddPlaneSurface
#define gmshModelGeoAddPoint irz_gmsh.to_gmshModelGeoAddPoint
#define gmshModelGeoAddSurfaceLoop irz_gmsh.to_gmshModelGeoAddSurfaceLoop
#define gmshModelGeoAddVolume irz_gmsh.to_gmshModelGeoAddVolume
#define gmshModelGeoMeshSetTransfiniteCurve irz_gmsh.to_gmshModelGeoMeshSetTransfiniteCurve
#define gmshModelGeoSynchronize irz_gmsh.to_gmshModelGeoSynchronize
#define gmshModelMeshAddElementsByType irz_gmsh.to_gmshModelMeshAddElementsByType
#define gmshModelMeshAddNodes irz_gmsh.to_gmshModelMeshAddNodes
#define gmshModelMeshGenerate irz_gmsh.to_gmshModelMeshGenerate
#define gmshModelMeshGetElementsByType irz_gmsh.to_gmshModelMeshGetElementsByType
#define gmshModelMeshGetNodes irz_gmsh.to_gmshModelMeshGetNodes
#define gmshModelMeshSetSizeCallback irz_gmsh.to_gmshModelMeshSetSizeCallback
#define gmshOptionSetNumber irz_gmsh.to_gmshOptionSetNumber
#endif

#endif
