/* Triangles one by one, and the surface that they make. */
#ifndef IREZONE_PATIENT_WELD_H
#define IREZONE_PATIENT_WELD_H

#include <irezone/session.h>
#include <stddef.h>

/// Triangles that know nothing of each other.
typedef struct {
  size_t n, room;
  double (*corner)[3][3]; ///< [n] m
} IrzSoup;

IrzCode irz_soup_add(IrzSoup *soup, double corner[3][3], IrzError *error);

/// Cut the triangles in four until no edge is longer than `step`, m.
IrzCode irz_soup_refine(IrzSoup *soup, double step, IrzError *error);

/// Make a surface of them: corners at the very same place become one point, triangles without area are left out.
IrzCode irz_soup_weld(const IrzSoup *soup, IrzSurface *surface, IrzError *error);

void irz_soup_clear(IrzSoup *soup);

#endif
