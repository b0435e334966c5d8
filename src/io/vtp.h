/* Surfaces as VTK's XML PolyData (.vtp), which VTK, ParaView and 3D Slicer read. */
#ifndef IREZONE_IO_VTP_H
#define IREZONE_IO_VTP_H

#include <irezone/result.h>
#include <stdio.h>

/// A text that goes with a surface, as one string of its field data.
typedef struct {
  const char *name, *value;
} IrzVtpText;

/// A surface of triangles, or lines, with what goes with them. All borrowed; what is not there is zero.
typedef struct {
  int32_t n_points;
  const double (*points)[3]; ///< [n_points] m (written in mm)
  int32_t n_triangles;
  const int32_t (*triangles)[3]; ///< [n_triangles] counter-clockwise from outside
  int32_t n_lines;
  const int32_t (*lines)[2]; ///< [n_lines]
  bool half_turn;            ///< write points after half a turn about z: from RAS to LPS, or back. Arrays stay
  int n_point_arrays;
  const IrzArray *point_arrays; ///< one of three components with the name Normals serves as normals
  int n_cell_arrays;
  const IrzArray *cell_arrays; ///< of lines, then of triangles
  int n_texts;
  const IrzVtpText *texts;
} IrzVtp;

/// Write a surface; its coordinates are rounded to floats. The file appears whole or not at all.
/// @return IRZ_OK, IRZ_ERR_OUTPUT or IRZ_ERR_MEMORY
IrzCode irz_vtp_write(const char *path, const IrzVtp *surface, IrzError *error);

/// Print a text as the value of an attribute of XML, without its quotes.
void irz_xml_text(FILE *out, const char *text);

#endif
