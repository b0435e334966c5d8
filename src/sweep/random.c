#include "sweep/sweep.h"

gsl_rng *irz_sweep_generator(uint64_t seed, unsigned stream) {
  gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
  if (rng == NULL) return NULL;
  uint64_t mixed = (seed + 0x9e3779b97f4a7c15u * (stream + 1)) * 0xbf58476d1ce4e5b9u;
  gsl_rng_set(rng, (unsigned long)((mixed ^ (mixed >> 31)) & 0xffffffffu));
  return rng;
}
