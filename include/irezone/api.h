/// @file
/// What marks the functions of the public API.
#ifndef IREZONE_API_H
#define IREZONE_API_H

#if defined(__GNUC__)
#define IRZ_API __attribute__((visibility("default"))) ///< a shared library shows these functions and no others
#else
#define IRZ_API
#endif

#endif
