/* The heat equation in space: M dT/dt + K T = f for T above body temperature, with what leaves through fixed nodes. */
#ifndef IREZONE_HEAT_THERMAL_H
#define IREZONE_HEAT_THERMAL_H

#include "field/medium.h"
#include "field/points.h"
#include "matrix/tangent.h"
#include "plan/plan.h"
#include "zone/sides.h"

/// Matrices and sums. T is the temperature above plan->heat.body.
typedef struct {
  const IrzMedium *medium;
  const IrzPlan *plan;
  const IrzTissue **tissue; ///< [n_regions]
  IrzSpace *space;
  IrzTangent mass;       ///< density times heat capacity, and the needles' steel, J/K; 1 on the diagonal of fixed rows
  IrzTangent stiffness;  ///< conduction and perfusion, W/K; rows of fixed unknowns are empty. One pattern for both
  double mean[10];       ///< of each basis function over a tetrahedron
  double product[55];    ///< the same of products of two, packed
  uint8_t *fixed;        ///< [n_local] held at body temperature
  double *metabolic;     ///< [n_owned] metabolic heat, W
  double *mass_sum;      ///< [n_owned] column sums of the whole mass matrix, fixed rows included, J/K
  double *perfusion_sum; ///< [n_owned] what perfusion takes away per kelvin, W/K
  double *fixed_mass;    ///< [n_owned] column sums of the fixed rows only, J/K
  double *fixed_stiff;   ///< [n_owned] the same of the stiffness matrix, W/K
} IrzThermal;

/// Assemble. Collective.
/// @param[in] plan       thermal numbers, `heat`, probes (numbered as the part's electrodes)
/// @param[in] order      element order of the temperature
/// @param[in] sides      rows of the nodes; NULL: rows are nodes
/// @param[in] recovered  [rows] largest |E|, V/m: where perfusion stops, if the plan says so
/// @param[in] threshold  [n_regions] V/m
IrzCode irz_thermal_create(const IrzMedium *medium, const IrzPlan *plan, int order, const IrzSides *sides,
                           const double *recovered, const double *threshold, IrzThermal **thermal, IrzError *error);

/// Joule heat of a potential: integral of sigma |E|^2 times each basis function of several spaces. Local.
/// @param[in]  count      number of spaces
/// @param[in]  thermals   [count] on one medium
/// @param[in]  order      element order of the potential
/// @param[in]  laws       [n_regions]
/// @param[in]  floor      conductivity falls nowhere below this; NULL: no floor
/// @param[in]  scale      [n_tets] factor on the conductivity of each tetrahedron; NULL: 1
/// @param[in]  potential  [nodes of the part] V
/// @param[out] loads      [count] each [n_owned] W, while the voltage is on
void irz_thermal_joule(int count, const IrzThermal *const *thermals, int order, const IrzLaw *const *laws,
                       const IrzPoints *floor, const double *scale, const double *potential, double *const *loads);

/// Factor of every tetrahedron's conductivity at a temperature: 1 + sigma_rise (T - 37 C) at its middle, at least 0.1.
/// @param[in]  node   [nodes of the part] temperature, C
/// @param[out] scale  [n_tets]
void irz_thermal_scale(const IrzThermal *thermal, const double *node, double *scale);

/// Largest rise of conductivity with temperature of the tissues around each unknown.
/// @param[out] rise  [n_owned] 1/K
void irz_thermal_rise(const IrzThermal *thermal, double *rise);

void irz_thermal_free(IrzThermal *thermal);

#endif
