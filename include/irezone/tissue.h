/// @file
/// Tissue presets: named sets of parameters, each number with its source.
#ifndef IREZONE_TISSUE_H
#define IREZONE_TISSUE_H

#include <irezone/law.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A number with where it comes from.
typedef struct {
  double value;       ///< SI
  const char *source; ///< publication or database, with a caveat where the number could not be checked
} IrzSourced;

/// A tissue preset. A source that says "stand-in" marks a number that nobody published for this tissue; "recalled, not
/// checked" one whose source could not be read again.
typedef struct {
  const char *name;
  const char *title; ///< one line for a person
  IrzLaw sigma;      ///< SI
  const char *sigma_source;
  IrzSourced fibre_ratio;             ///< conductivity along fibres over that across, used where a plan states their
                                      ///< direction; 0: no fibres known
  IrzSourced threshold;               ///< irreversible threshold, V/m
  double threshold_low;               ///< lower end of the reported spread, V/m
  double threshold_high;              ///< upper end, V/m; equal to the lower if no spread is known
  IrzSourced temperature_coefficient; ///< of sigma, 1/K: sigma (1 + coefficient (T - 37 C))
  IrzSourced density;                 ///< kg/m^3
  IrzSourced heat_capacity;           ///< J/(kg K)
  IrzSourced heat_conductivity;       ///< W/(m K)
  IrzSourced perfusion;               ///< 1/s, volume of blood per volume of tissue and time
  IrzSourced metabolic_heat;          ///< W/m^3
} IrzPreset;

/// All presets.
/// @param[out] count  number of presets
/// @return array of `count` presets, static
IRZ_API const IrzPreset *irz_presets(int *count);

/// A preset by name, or NULL.
IRZ_API const IrzPreset *irz_preset_find(const char *name);

/// Print all presets as a table.
IRZ_API void irz_presets_print(FILE *out);

/// Print every number of a preset with its unit and source.
IRZ_API void irz_preset_print(const IrzPreset *preset, FILE *out);

#ifdef __cplusplus
}
#endif
#endif
