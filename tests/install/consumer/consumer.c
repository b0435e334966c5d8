/* The smallest user of the installed library: conductivity of a tissue at a field strength. */
#include <irezone/law.h>
#include <math.h>
#include <stdio.h>

int main(void) {
  IrzLaw law = {.kind = IRZ_LAW_RAMP, .low = 0.067, .high = 0.241, .p = 46000, .q = 70000};
  double sigma = irz_law_sigma(&law, 58000, NULL);

  printf("sigma(580 V/cm) = %.3f S/m\n", sigma);
  return fabs(sigma - 0.154) < 1e-12 ? 0 : 1;
}
