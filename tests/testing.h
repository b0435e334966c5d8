/* cmocka with what it wants included before it, and comparison of doubles (which cmocka 1.1.5 lacks). */
#ifndef IREZONE_TESTING_H
#define IREZONE_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

/// |actual - wanted| <= tolerance, also failing on NaN.
#define assert_near(actual, wanted, tolerance)                                                                         \
  do {                                                                                                                 \
    double actual_ = (actual), wanted_ = (wanted), tolerance_ = (tolerance);                                           \
    if (!(fabs(actual_ - wanted_) <= tolerance_)) {                                                                    \
      fail_msg("%s = %.15g, but %s = %.15g; they differ by %.3g, more than %.3g", #actual, actual_, #wanted, wanted_,  \
               fabs(actual_ - wanted_), tolerance_);                                                                   \
    }                                                                                                                  \
  } while (0)

/// Within a relative tolerance of `wanted`.
#define assert_close(actual, wanted, relative) assert_near(actual, wanted, (relative)*fabs(wanted))

#endif
