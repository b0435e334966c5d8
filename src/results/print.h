/* Parts of the summary for a person. */
#ifndef IREZONE_RESULTS_PRINT_H
#define IREZONE_RESULTS_PRINT_H

#include <irezone/patient.h>

/// Print what a treatment comes to for the patient.
/// @param[in] patient  NULL: nothing is printed
void irz_patient_print(const IrzPatient *patient, FILE *out);

#endif
