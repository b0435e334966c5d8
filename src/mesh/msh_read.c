/* Gmsh MSH 2.2 and 4.1, text and binary, into a draft of a mesh.
 *
 * The whole file is in memory. No number in it is trusted: counts are checked against the bytes that are left before
 * anything is allocated for them, tags are looked up, coordinates must be finite. Text is read line by line, so that
 * a missing number is reported where it is missing. */
#include "mesh/msh_read.h"
#include "base/entry.h"
#include "base/input.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "mesh/mesh_build.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_GROUPS_PER_ENTITY = 16 };

/// Largest coordinate, m. Keeps every product of lengths finite.
#define MAX_COORDINATE 1e6

/// What becomes of an element type.
typedef enum { USE_NEVER, USE_IGNORE, USE_TRIANGLE, USE_TET } ElementUse;

/// An element type of Gmsh.
typedef struct {
  ElementUse use;
  int nodes;
  const char *name;
} ElementType;

/* Numbers of the types: Gmsh's reference manual, "MSH file format". */
static const ElementType element_types[] = {[1] = {USE_IGNORE, 2, "lines"},
                                            [2] = {USE_TRIANGLE, 3, "triangles"},
                                            [3] = {USE_NEVER, 4, "quadrilaterals"},
                                            [4] = {USE_TET, 4, "tetrahedra"},
                                            [5] = {USE_NEVER, 8, "hexahedra"},
                                            [6] = {USE_NEVER, 6, "prisms"},
                                            [7] = {USE_NEVER, 5, "pyramids"},
                                            [8] = {USE_IGNORE, 3, "lines"},
                                            [9] = {USE_TRIANGLE, 6, "triangles"},
                                            [10] = {USE_NEVER, 9, "quadrilaterals"},
                                            [11] = {USE_TET, 10, "tetrahedra"},
                                            [12] = {USE_NEVER, 27, "hexahedra"},
                                            [13] = {USE_NEVER, 18, "prisms"},
                                            [14] = {USE_NEVER, 14, "pyramids"},
                                            [15] = {USE_IGNORE, 1, "points"},
                                            [16] = {USE_NEVER, 8, "quadrilaterals"},
                                            [17] = {USE_NEVER, 20, "hexahedra"},
                                            [18] = {USE_NEVER, 15, "prisms"},
                                            [19] = {USE_NEVER, 13, "pyramids"},
                                            [20] = {USE_NEVER, 9, "triangles of order 3"},
                                            [21] = {USE_NEVER, 10, "triangles of order 3"},
                                            [26] = {USE_IGNORE, 4, "lines"},
                                            [29] = {USE_NEVER, 20, "tetrahedra of order 3"}};

/// Where the physical groups of a geometrical entity are.
typedef struct {
  int32_t first, count;
} EntityGroups;

/// The state of reading a file.
typedef struct {
  IrzScan scan;
  IrzError *error;
  double scale;
  int version; ///< 22 or 41
  bool has_nodes, has_elements, has_names, has_entities;

  IrzMeshDraft draft;
  IrzTagMap point_of_tag;

  IrzTagMap name_of_tag[2]; ///< physical surfaces, volumes: index into `names`
  int32_t n_names, names_reserved;
  char (*names)[IRZ_NAME_MAX];

  IrzTagMap group_of_tag[2]; ///< physical surfaces, volumes: index of the group in the draft
  int64_t last_tag[2];       ///< the tag looked up last, and its group: tags come in runs
  int32_t last_group[2];

  IrzTagMap entity_of_tag[2]; ///< surfaces, volumes of the geometry: index into `entities`
  int32_t n_entities, entities_reserved;
  EntityGroups *entities;
  int32_t n_entity_groups, entity_groups_reserved;
  int32_t *entity_groups; ///< physical tags
} Reader;

/// Grow an array to hold at least `count` items.
static IrzCode grow(void *pointer, int32_t *reserved, int64_t count, size_t size, IrzError *error) {
  if (count <= *reserved) return IRZ_OK;
  int64_t wanted = count + count / 2 + 16;
  if (wanted > INT32_MAX) wanted = INT32_MAX;
  IRZ_TRY(irz_resize(pointer, (size_t)wanted, size, error));
  *reserved = (int32_t)wanted;
  return IRZ_OK;
}

/// Fail because of what is at the current position.
static IrzCode fail_expected(const IrzScan *scan, const char *what) {
  char word[40];
  if (scan->binary) return irz_scan_fail(scan, scan->at, "expected %s", what);
  return irz_scan_fail(scan, scan->at, "expected %s, found %s", what, irz_scan_word(scan, word));
}

/// The rest of the line must be blank; go to the next one.
static IrzCode end_line(IrzScan *scan) {
  irz_scan_blanks(scan);
  if (scan->at < scan->end && *scan->at != '\n') return fail_expected(scan, "the end of the line");
  if (scan->at < scan->end) scan->at++;
  return IRZ_OK;
}

/// Read a whole number within limits from the line.
static IrzCode text_integer(IrzScan *scan, const char *what, int64_t least, int64_t most, int64_t *value) {
  if (!irz_scan_integer(scan, value)) return fail_expected(scan, what);
  if (*value >= least && *value <= most) return IRZ_OK;
  return irz_scan_fail(scan, scan->at, "%s %lld is outside %lld to %lld", what, (long long)*value, (long long)least,
                       (long long)most);
}

/// Check a binary value against limits.
static IrzCode check_binary(const IrzScan *scan, const char *what, int64_t least, int64_t most, int64_t value) {
  if (value >= least && value <= most) return IRZ_OK;
  return irz_scan_fail(scan, scan->at, "%s %lld is outside %lld to %lld", what, (long long)value, (long long)least,
                       (long long)most);
}

/// Fail unless so many bytes of binary data are left.
static IrzCode need(const IrzScan *scan, int64_t bytes, const char *what) {
  if (irz_scan_left(scan) >= bytes) return IRZ_OK;
  return irz_scan_fail(scan, scan->at, "the file ends within %s", what);
}

/// Read a `size_t` of the 4.1 format, text or binary, within limits.
static IrzCode read_size(IrzScan *scan, const char *what, int64_t least, int64_t most, int64_t *value) {
  if (!scan->binary) return text_integer(scan, what, least, most, value);
  IRZ_TRY(need(scan, scan->size_bytes, what));
  *value = irz_scan_take_size(scan);
  return check_binary(scan, what, least, most, *value);
}

/// Read an `int` of the 4.1 format, text or binary, within limits.
static IrzCode read_int(IrzScan *scan, const char *what, int64_t least, int64_t most, int64_t *value) {
  if (!scan->binary) return text_integer(scan, what, least, most, value);
  IRZ_TRY(need(scan, 4, what));
  *value = irz_scan_take_int(scan);
  return check_binary(scan, what, least, most, *value);
}

/// Read a double, text or binary.
static IrzCode read_real(IrzScan *scan, const char *what, double *value) {
  if (!scan->binary) return irz_scan_real(scan, value) ? IRZ_OK : fail_expected(scan, what);
  IRZ_TRY(need(scan, 8, what));
  *value = irz_scan_take_real(scan);
  return IRZ_OK;
}

/// A count may not exceed what the rest of the file can hold at so many bytes apiece.
static IrzCode check_count(const IrzScan *scan, const char *what, int64_t count, int64_t bytes) {
  if (count <= irz_scan_left(scan) / bytes && count < INT32_MAX) return IRZ_OK;
  return irz_scan_fail(scan, scan->at, "%lld %s are announced, more than the rest of the file can hold",
                       (long long)count, what);
}

/// Expect the line `$EndNAME`.
static IrzCode end_section(IrzScan *scan, const char *name) {
  irz_scan_space(scan);
  size_t length = strlen(name);
  if ((size_t)irz_scan_left(scan) < length || memcmp(scan->at, name, length) != 0 ||
      !irz_scan_is_boundary(scan, scan->at + length)) {
    return fail_expected(scan, name);
  }
  scan->at += length;
  return end_line(scan);
}

/// Format line: version, text or binary, size of data; in binary files a 1 that tells the byte order.
static IrzCode read_format(Reader *reader) {
  IrzScan *scan = &reader->scan;
  double version;
  if (!irz_scan_real(scan, &version)) return fail_expected(scan, "the version of the format");
  if (version == 2.2) {
    reader->version = 22;
  } else if (version == 4.1) {
    reader->version = 41;
  } else {
    return irz_scan_fail(
        scan, scan->at,
        "MSH version %g is not supported: 2.2 and 4.1 are (gmsh OLD.msh -save -format msh41 -o NEW.msh "
        "converts)",
        version);
  }
  int64_t binary, size;
  IRZ_TRY(text_integer(scan, "file type", 0, 1, &binary));
  IRZ_TRY(text_integer(scan, "data size", 4, 8, &size));
  if (size != 8 && (size != 4 || reader->version == 22)) {
    return irz_scan_fail(scan, scan->at, "data size %lld is not supported: 8 is", (long long)size);
  }
  IRZ_TRY(end_line(scan));
  if (binary == 1) {
    scan->binary = true;
    scan->size_bytes = (int)size;
    IRZ_TRY(need(scan, 4, "the format"));
    const char *at = scan->at;
    int32_t one = irz_scan_take_int(scan);
    scan->swap = one != 1;
    if (one != 1 && one != 0x01000000) return irz_scan_fail(scan, at, "the byte order mark is neither 1 nor 1 swapped");
  }
  return end_section(scan, "$EndMeshFormat");
}

/// Whether bytes are printable UTF-8: names go to JSON, HDF5 and terminals.
static bool is_printable_utf8(const char *text, size_t length) {
  for (size_t i = 0; i < length;) {
    unsigned code = 0;
    int size = irz_utf8_character(text + i, length - i, &code);
    if (size == 0 || !irz_utf8_in_line(code)) return false;
    i += (size_t)size;
  }
  return true;
}

/// Physical names; text in binary files too.
static IrzCode read_names(Reader *reader) {
  IrzScan *scan = &reader->scan;
  if (reader->has_names) return irz_scan_fail(scan, scan->at, "a second section $PhysicalNames");
  reader->has_names = true;
  int64_t count;
  irz_scan_space(scan);
  IRZ_TRY(text_integer(scan, "number of physical names", 0, INT32_MAX - 1, &count));
  IRZ_TRY(check_count(scan, "physical names", count, 6));
  IRZ_TRY(end_line(scan));
  for (int64_t i = 0; i < count; i++) {
    irz_scan_space(scan);
    int64_t dimension, tag;
    IRZ_TRY(text_integer(scan, "dimension of a physical name", 0, 3, &dimension));
    IRZ_TRY(text_integer(scan, "tag of a physical name", INT_MIN + 1, INT_MAX, &tag));
    irz_scan_blanks(scan);
    if (scan->at == scan->end || *scan->at != '"') return fail_expected(scan, "a name in double quotes");
    const char *first = scan->at + 1;
    const char *newline = memchr(first, '\n', (size_t)(scan->end - first));
    const char *last = newline != NULL ? newline : scan->end;
    while (last > first && last[-1] != '"') last--;
    if (last == first) return irz_scan_fail(scan, scan->at, "the name has no closing quote");
    last--;
    size_t length = (size_t)(last - first);
    if (length == 0 || length >= IRZ_NAME_MAX) {
      return irz_scan_fail(scan, scan->at, "a physical name of %zu bytes: 1 to %d are allowed", length,
                           IRZ_NAME_MAX - 1);
    }
    if (!is_printable_utf8(first, length)) {
      return irz_scan_fail(scan, scan->at, "the physical name is not printable UTF-8 text");
    }
    scan->at = last + 1;
    IRZ_TRY(end_line(scan));
    if (dimension < 2) continue;
    IRZ_TRY(grow(&reader->names, &reader->names_reserved, (int64_t)reader->n_names + 1, sizeof *reader->names,
                 reader->error));
    memcpy(reader->names[reader->n_names], first, length);
    reader->names[reader->n_names][length] = '\0';
    IRZ_TRY(irz_tags_add(&reader->name_of_tag[dimension - 2], tag, reader->n_names++, reader->error));
  }
  return end_section(scan, "$EndPhysicalNames");
}

/// Read one entity of $Entities or $PartitionedEntities and remember its physical groups.
static IrzCode read_entity(Reader *reader, int dimension, bool partitioned) {
  IrzScan *scan = &reader->scan;
  int64_t tag, count, ignored;
  if (!scan->binary) irz_scan_space(scan);
  IRZ_TRY(read_int(scan, "entity tag", INT_MIN, INT_MAX, &tag));
  if (partitioned) {
    IRZ_TRY(read_int(scan, "parent dimension", INT_MIN, INT_MAX, &ignored));
    IRZ_TRY(read_int(scan, "parent tag", INT_MIN, INT_MAX, &ignored));
    IRZ_TRY(read_size(scan, "number of partitions", 0, INT32_MAX, &count));
    for (int64_t i = 0; i < count; i++) IRZ_TRY(read_int(scan, "partition", INT_MIN, INT_MAX, &ignored));
  }
  for (int i = 0; i < (dimension == 0 ? 3 : 6); i++) {
    double coordinate;
    IRZ_TRY(read_real(scan, "a coordinate of an entity", &coordinate));
  }
  IRZ_TRY(read_size(scan, "number of physical tags", 0, INT32_MAX, &count));
  EntityGroups groups = {.first = reader->n_entity_groups};
  for (int64_t i = 0; i < count; i++) {
    int64_t physical;
    IRZ_TRY(read_int(scan, "physical tag", INT_MIN + 1, INT_MAX, &physical));
    if (dimension < 2 || physical == 0) continue;
    if (groups.count == MAX_GROUPS_PER_ENTITY) {
      return irz_scan_fail(scan, scan->at, "entity %lld of dimension %d is in more than %d physical groups",
                           (long long)tag, dimension, MAX_GROUPS_PER_ENTITY);
    }
    IRZ_TRY(grow(&reader->entity_groups, &reader->entity_groups_reserved, (int64_t)reader->n_entity_groups + 1,
                 sizeof *reader->entity_groups, reader->error));
    reader->entity_groups[reader->n_entity_groups++] = (int32_t)(physical < 0 ? -physical : physical);
    groups.count++;
  }
  if (dimension > 0) {
    IRZ_TRY(read_size(scan, "number of bounding entities", 0, INT32_MAX, &count));
    for (int64_t i = 0; i < count; i++) IRZ_TRY(read_int(scan, "bounding entity", INT_MIN, INT_MAX, &ignored));
  }
  if (!scan->binary) IRZ_TRY(end_line(scan));
  if (dimension < 2 || groups.count == 0) return IRZ_OK;
  IRZ_TRY(grow(&reader->entities, &reader->entities_reserved, (int64_t)reader->n_entities + 1, sizeof *reader->entities,
               reader->error));
  reader->entities[reader->n_entities] = groups;
  return irz_tags_add(&reader->entity_of_tag[dimension - 2], tag, reader->n_entities++, reader->error);
}

/// Entities of the 4.1 format: which physical groups they are in. A partitioned mesh has its own, with tags of
/// their own.
static IrzCode read_entities(Reader *reader, bool partitioned) {
  IrzScan *scan = &reader->scan;
  if (reader->version != 41) return irz_scan_fail(scan, scan->at, "$Entities in a file of version 2.2");
  if (partitioned) { /* elements refer to these instead */
    irz_tags_clear(&reader->entity_of_tag[0]);
    irz_tags_clear(&reader->entity_of_tag[1]);
    int64_t partitions, ghosts, ignored;
    IRZ_TRY(read_size(scan, "number of partitions", 0, INT32_MAX, &partitions));
    if (!scan->binary) irz_scan_space(scan);
    IRZ_TRY(read_size(scan, "number of ghost entities", 0, INT32_MAX, &ghosts));
    for (int64_t i = 0; i < ghosts; i++) {
      if (!scan->binary) irz_scan_space(scan);
      IRZ_TRY(read_int(scan, "ghost entity", INT_MIN, INT_MAX, &ignored));
      IRZ_TRY(read_int(scan, "partition", INT_MIN, INT_MAX, &ignored));
    }
    if (!scan->binary) irz_scan_space(scan);
  } else if (reader->has_entities) {
    return irz_scan_fail(scan, scan->at, "a second section $Entities");
  }
  reader->has_entities = true;
  int64_t count[4];
  for (int i = 0; i < 4; i++) IRZ_TRY(read_size(scan, "number of entities", 0, INT32_MAX, &count[i]));
  if (!scan->binary) IRZ_TRY(end_line(scan));
  for (int dimension = 0; dimension < 4; dimension++) {
    for (int64_t i = 0; i < count[dimension]; i++) IRZ_TRY(read_entity(reader, dimension, partitioned));
  }
  return end_section(scan, partitioned ? "$EndPartitionedEntities" : "$EndEntities");
}

/// Store the coordinates of point `index`.
static inline IrzCode store_point(Reader *reader, int32_t index, const double xyz[3]) {
  for (int k = 0; k < 3; k++) {
    double value = xyz[k] * reader->scale;
    if (!(fabs(value) <= MAX_COORDINATE)) {
      return irz_scan_fail(&reader->scan, reader->scan.at,
                           "node %lld: coordinate %g is not within the %g m that are allowed",
                           (long long)reader->draft.point_tag[index], xyz[k], MAX_COORDINATE);
    }
    reader->draft.xyz[3 * (size_t)index + (size_t)k] = value;
  }
  return IRZ_OK;
}

/// Go behind a 2.2 node's place on the geometry: dimension and tag of its entity, then as many parameters as a curve or
/// a surface has.
static IrzCode skip_parameters(IrzScan *scan) {
  int64_t dimension, entity;
  if (scan->binary) IRZ_TRY(need(scan, 8, "the nodes"));
  IRZ_TRY(read_int(scan, "entity dimension", 0, 3, &dimension));
  IRZ_TRY(read_int(scan, "entity tag", INT_MIN, INT_MAX, &entity));
  for (int k = 0; dimension < 3 && k < dimension; k++) {
    double parameter;
    IRZ_TRY(read_real(scan, "a parameter", &parameter));
  }
  return IRZ_OK;
}

/// Nodes of a 2.2 file: number, x, y, z, and in $ParametricNodes where they are on the geometry.
static IrzCode read_nodes_22(Reader *reader, bool parametric) {
  IrzScan *scan = &reader->scan;
  int64_t count;
  irz_scan_space(scan);
  IRZ_TRY(text_integer(scan, "number of nodes", 0, INT64_MAX, &count));
  IRZ_TRY(check_count(scan, "nodes", count, scan->binary ? 28 : 8));
  IRZ_TRY(end_line(scan));
  IRZ_TRY(irz_draft_reserve_points(&reader->draft, count, reader->error));
  for (int32_t i = 0; i < count; i++) {
    int64_t tag;
    double xyz[3];
    if (scan->binary) {
      IRZ_TRY(need(scan, 28, "the nodes"));
      tag = irz_scan_take_int(scan);
      for (int k = 0; k < 3; k++) xyz[k] = irz_scan_take_real(scan);
    } else {
      irz_scan_space(scan);
      if (!irz_scan_integer(scan, &tag)) return fail_expected(scan, "a node number");
      for (int k = 0; k < 3; k++) {
        if (!irz_scan_real(scan, &xyz[k])) return fail_expected(scan, "a coordinate");
      }
    }
    if (tag < 1) return irz_scan_fail(scan, scan->at, "node number %lld is not positive", (long long)tag);
    reader->draft.point_tag[i] = tag;
    IRZ_TRY(store_point(reader, i, xyz));
    if (parametric) IRZ_TRY(skip_parameters(scan));
    if (!scan->binary) IRZ_TRY(end_line(scan));
  }
  reader->draft.n_points = (int32_t)count;
  return IRZ_OK;
}

/// One block of nodes of a 4.1 file: all tags, then all coordinates.
static IrzCode read_node_block(Reader *reader, int64_t left) {
  IrzScan *scan = &reader->scan;
  int64_t dimension, entity, parametric, count;
  if (!scan->binary) irz_scan_space(scan);
  IRZ_TRY(read_int(scan, "entity dimension", 0, 3, &dimension));
  IRZ_TRY(read_int(scan, "entity tag", INT_MIN, INT_MAX, &entity));
  IRZ_TRY(read_int(scan, "parametric", 0, 1, &parametric));
  IRZ_TRY(read_size(scan, "number of nodes in the block", 0, left, &count));
  int extra = parametric == 1 ? (int)dimension : 0;
  IRZ_TRY(check_count(scan, "nodes", count, scan->binary ? scan->size_bytes + 24 + 8 * extra : 7));
  if (!scan->binary) IRZ_TRY(end_line(scan));
  int32_t first = reader->draft.n_points;
  for (int32_t i = 0; i < count; i++) {
    int64_t tag;
    if (scan->binary) {
      tag = irz_scan_take_size(scan);
    } else {
      irz_scan_space(scan);
      if (!irz_scan_integer(scan, &tag)) return fail_expected(scan, "a node tag");
      IRZ_TRY(end_line(scan));
    }
    if (tag < 1) return irz_scan_fail(scan, scan->at, "a node tag is not between 1 and 2^63 - 1");
    reader->draft.point_tag[first + i] = tag;
  }
  for (int32_t i = 0; i < count; i++) {
    double xyz[3];
    if (!scan->binary) irz_scan_space(scan);
    for (int k = 0; k < 3 + extra; k++) {
      double value;
      if (scan->binary) {
        value = irz_scan_take_real(scan);
      } else if (!irz_scan_real(scan, &value)) {
        return fail_expected(scan, "a coordinate");
      }
      if (k < 3) xyz[k] = value;
    }
    IRZ_TRY(store_point(reader, first + i, xyz));
    if (!scan->binary) IRZ_TRY(end_line(scan));
  }
  reader->draft.n_points = first + (int32_t)count;
  return IRZ_OK;
}

/// Nodes of a 4.1 file.
static IrzCode read_nodes_41(Reader *reader) {
  IrzScan *scan = &reader->scan;
  int64_t blocks, count, ignored;
  if (!scan->binary) irz_scan_space(scan);
  IRZ_TRY(read_size(scan, "number of blocks", 0, INT64_MAX, &blocks));
  IRZ_TRY(read_size(scan, "number of nodes", 0, INT64_MAX, &count));
  IRZ_TRY(read_size(scan, "smallest tag", 0, INT64_MAX, &ignored));
  IRZ_TRY(read_size(scan, "largest tag", 0, INT64_MAX, &ignored));
  IRZ_TRY(check_count(scan, "nodes", count, scan->binary ? scan->size_bytes + 24 : 7));
  if (!scan->binary) IRZ_TRY(end_line(scan));
  IRZ_TRY(irz_draft_reserve_points(&reader->draft, count, reader->error));
  for (int64_t i = 0; i < blocks; i++) IRZ_TRY(read_node_block(reader, count - reader->draft.n_points));
  if (reader->draft.n_points != count) {
    return irz_scan_fail(scan, scan->at, "%lld nodes are announced, but the blocks hold %d", (long long)count,
                         reader->draft.n_points);
  }
  return IRZ_OK;
}

/// Nodes, and the map from their tags.
static IrzCode read_any_nodes(Reader *reader, bool parametric) {
  if (reader->has_nodes) return irz_scan_fail(&reader->scan, reader->scan.at, "a second section $Nodes");
  reader->has_nodes = true;
  const char *start = reader->scan.at;
  IRZ_TRY(reader->version == 22 ? read_nodes_22(reader, parametric) : read_nodes_41(reader));
  IRZ_TRY(end_section(&reader->scan, parametric ? "$EndParametricNodes" : "$EndNodes"));
  int32_t duplicate;
  IRZ_TRY(irz_tags_build(reader->draft.n_points, reader->draft.point_tag, &reader->point_of_tag, &duplicate,
                         reader->error));
  if (duplicate < 0) return IRZ_OK;
  return irz_scan_fail(&reader->scan, start, "node %lld occurs twice", (long long)reader->draft.point_tag[duplicate]);
}

/// `$Nodes`
static IrzCode read_nodes(Reader *reader) {
  return read_any_nodes(reader, false);
}

/// `$ParametricNodes`, which Gmsh writes in version 2.2 with Mesh.SaveParametric; 4.1 marks such blocks in $Nodes.
static IrzCode read_parametric_nodes(Reader *reader) {
  if (reader->version != 22) {
    return irz_scan_fail(&reader->scan, reader->scan.at, "$ParametricNodes in a file of version 4.1");
  }
  return read_any_nodes(reader, true);
}

/// The draft's group for a physical tag (0: none) of surfaces (kind 0) or volumes (kind 1).
static IrzCode find_group(Reader *reader, int kind, int64_t tag, int32_t *group) {
  if (tag < 0) tag = -tag; /* Gmsh marks the other orientation so */
  if (tag == reader->last_tag[kind]) {
    *group = reader->last_group[kind];
    return IRZ_OK;
  }
  IrzTagMap *map = &reader->group_of_tag[kind];
  *group = map->key != NULL ? irz_tags_find(map, tag) : -1;
  if (*group < 0) {
    const IrzTagMap *names = &reader->name_of_tag[kind];
    int32_t name = names->key != NULL ? irz_tags_find(names, tag) : -1;
    IRZ_TRY(irz_draft_add_group(&reader->draft, kind == 0, (int)tag, name >= 0 ? reader->names[name] : NULL, group,
                                reader->error));
    IRZ_TRY(irz_tags_add(map, tag, *group, reader->error));
  }
  reader->last_tag[kind] = tag;
  reader->last_group[kind] = *group;
  return IRZ_OK;
}

/// Turn node tags into points.
static inline IrzCode find_points(const Reader *reader, int64_t element, int count, const int64_t *tag,
                                  int32_t *point) {
  for (int i = 0; i < count; i++) {
    point[i] = irz_tags_find(&reader->point_of_tag, tag[i]);
    if (point[i] < 0) {
      return irz_scan_fail(&reader->scan, reader->scan.at, "element %lld: there is no node %lld", (long long)element,
                           (long long)tag[i]);
    }
  }
  return IRZ_OK;
}

/// Add an element to the draft; room for it is reserved.
static inline IrzCode store_element(Reader *reader, const ElementType *type, int64_t tag, int32_t group,
                                    const int64_t *node) {
  IrzMeshDraft *draft = &reader->draft;
  if (type->use == USE_TRIANGLE) {
    size_t i = (size_t)draft->n_triangles;
    IRZ_TRY(find_points(reader, tag, 3, node, draft->triangle + 3 * i));
    draft->triangle_surface[i] = group;
    draft->triangle_tag[i] = tag;
    draft->n_triangles++;
    return IRZ_OK;
  }
  size_t i = (size_t)draft->n_tets;
  IRZ_TRY(find_points(reader, tag, 4, node, draft->tet + 4 * i));
  if (type->nodes == 10) {
    int64_t mid[6] = {node[4], node[5], node[6], node[7], node[8], node[9]};
    IRZ_TRY(find_points(reader, tag, 6, mid, draft->mid + 6 * i));
  }
  draft->tet_region[i] = group;
  draft->tet_tag[i] = tag;
  draft->n_tets++;
  return IRZ_OK;
}

/// Make room for elements of a type.
static IrzCode reserve_elements(Reader *reader, const ElementType *type, int64_t count) {
  if (type->use == USE_TRIANGLE) return irz_draft_reserve_triangles(&reader->draft, count, reader->error);
  if (type->use != USE_TET) return IRZ_OK;
  IRZ_TRY(irz_draft_reserve_tets(&reader->draft, count, reader->error));
  return type->nodes == 10 ? irz_draft_add_mid(&reader->draft, reader->error) : IRZ_OK;
}

/// Look an element type up; refuse those that are not for us.
static IrzCode find_type(const IrzScan *scan, int64_t number, const ElementType **type) {
  const int64_t known = sizeof element_types / sizeof element_types[0];
  *type = number > 0 && number < known ? &element_types[number] : NULL;
  if (*type == NULL || (*type)->nodes == 0) {
    return irz_scan_fail(scan, scan->at,
                         "element type %lld is not supported: tetrahedra of 4 or 10 nodes and triangles of 3 or 6 are",
                         (long long)number);
  }
  if ((*type)->use != USE_NEVER) return IRZ_OK;
  return irz_scan_fail(scan, scan->at, "%s are not supported: tetrahedra of 4 or 10 nodes and triangles of 3 or 6 are",
                       (*type)->name);
}

/// Elements of a 2.2 text file: number, type, number of tags, tags (the first is the physical group), nodes.
static IrzCode read_elements_22_text(Reader *reader, int64_t count) {
  IrzScan *scan = &reader->scan;
  for (int64_t i = 0; i < count; i++) {
    irz_scan_space(scan);
    int64_t tag, number, tags, physical = 0, node[10];
    if (!irz_scan_integer(scan, &tag)) return fail_expected(scan, "an element number");
    if (!irz_scan_integer(scan, &number)) return fail_expected(scan, "an element type");
    const ElementType *type;
    IRZ_TRY(find_type(scan, number, &type));
    if (type->use == USE_IGNORE) {
      irz_scan_skip_line(scan);
      continue;
    }
    IRZ_TRY(text_integer(scan, "number of tags", 0, INT_MAX, &tags));
    for (int64_t k = 0; k < tags; k++) {
      int64_t value;
      IRZ_TRY(text_integer(scan, "tag", INT_MIN + 1, INT_MAX, &value));
      if (k == 0) physical = value;
    }
    for (int k = 0; k < type->nodes; k++) {
      if (!irz_scan_integer(scan, &node[k])) return fail_expected(scan, "a node number");
    }
    if (type->use == USE_TET || physical != 0) {
      int32_t group;
      IRZ_TRY(find_group(reader, type->use == USE_TET, physical, &group));
      IRZ_TRY(reserve_elements(reader, type, 1));
      IRZ_TRY(store_element(reader, type, tag, group, node));
    }
    IRZ_TRY(end_line(scan));
  }
  return IRZ_OK;
}

/// Elements of a 2.2 binary file: blocks with a header of type, number of elements, number of tags.
static IrzCode read_elements_22_binary(Reader *reader, int64_t count) {
  IrzScan *scan = &reader->scan;
  for (int64_t done = 0; done < count;) {
    IRZ_TRY(need(scan, 12, "the elements"));
    const ElementType *type;
    IRZ_TRY(find_type(scan, irz_scan_take_int(scan), &type));
    int64_t block = irz_scan_take_int(scan), tags = irz_scan_take_int(scan);
    IRZ_TRY(check_binary(scan, "number of elements in the block", 1, count - done, block));
    IRZ_TRY(check_binary(scan, "number of tags", 0, INT_MAX, tags));
    int64_t bytes = 4 * (1 + tags + type->nodes);
    IRZ_TRY(check_count(scan, "elements", block, bytes));
    done += block;
    if (type->use == USE_IGNORE) {
      scan->at += block * bytes;
      continue;
    }
    IRZ_TRY(reserve_elements(reader, type, block));
    for (int64_t i = 0; i < block; i++) {
      int64_t tag = irz_scan_take_int(scan), node[10];
      int32_t physical = tags > 0 ? irz_scan_take_int(scan) : 0;
      if (physical == INT_MIN) return irz_scan_fail(scan, scan->at, "element %lld: physical tag", (long long)tag);
      if (tags > 1) scan->at += 4 * (tags - 1);
      for (int k = 0; k < type->nodes; k++) node[k] = irz_scan_take_int(scan);
      if (type->use == USE_TRIANGLE && physical == 0) continue;
      int32_t group;
      IRZ_TRY(find_group(reader, type->use == USE_TET, physical, &group));
      IRZ_TRY(store_element(reader, type, tag, group, node));
    }
  }
  return IRZ_OK;
}

/// Groups that the elements of an entity belong to, each once.
/// @param[out] group  [MAX_GROUPS_PER_ENTITY]
static IrzCode entity_groups(Reader *reader, int kind, int64_t entity, int32_t *n_groups, int32_t *group) {
  const IrzTagMap *map = &reader->entity_of_tag[kind];
  int32_t index = map->key != NULL ? irz_tags_find(map, entity) : -1;
  *n_groups = 0;
  if (index < 0) return kind == 1 ? find_group(reader, kind, 0, &group[(*n_groups)++]) : IRZ_OK;
  const EntityGroups *groups = &reader->entities[index];
  for (int32_t i = 0; i < groups->count; i++) {
    IRZ_TRY(find_group(reader, kind, reader->entity_groups[groups->first + i], &group[*n_groups]));
    bool seen = false;
    for (int32_t k = 0; k < *n_groups; k++) seen = seen || group[k] == group[*n_groups];
    if (!seen) ++*n_groups;
  }
  return IRZ_OK;
}

/// Pass over the elements of a block that nobody wants.
/// @param[in] bytes  of each in a binary file
static IrzCode skip_elements(IrzScan *scan, int64_t count, int64_t bytes) {
  if (scan->binary) {
    scan->at += count * bytes;
    return IRZ_OK;
  }
  for (int64_t i = 0; i < count; i++) {
    irz_scan_space(scan);
    if (scan->at == scan->end || *scan->at == '$') return fail_expected(scan, "an element tag");
    irz_scan_skip_line(scan);
  }
  return IRZ_OK;
}

/// One block of elements of a 4.1 file. Elements of an entity with several physical groups are stored once for each.
static IrzCode read_element_block(Reader *reader, int64_t *left) {
  IrzScan *scan = &reader->scan;
  int64_t dimension, entity, number, count;
  if (!scan->binary) irz_scan_space(scan);
  IRZ_TRY(read_int(scan, "entity dimension", 0, 3, &dimension));
  IRZ_TRY(read_int(scan, "entity tag", INT_MIN, INT_MAX, &entity));
  IRZ_TRY(read_int(scan, "element type", INT_MIN, INT_MAX, &number));
  const ElementType *type;
  IRZ_TRY(find_type(scan, number, &type));
  IRZ_TRY(read_size(scan, "number of elements in the block", 0, *left, &count));
  const int64_t bytes = scan->binary ? (int64_t)scan->size_bytes * (1 + type->nodes) : 2 + 2 * type->nodes;
  IRZ_TRY(check_count(scan, "elements", count, bytes));
  *left -= count;

  int kind = type->use == USE_TET;
  int32_t n_groups = 0, group[MAX_GROUPS_PER_ENTITY];
  if (type->use != USE_IGNORE) {
    if (dimension != 2 + kind) {
      return irz_scan_fail(scan, scan->at, "%s on an entity of dimension %lld", type->name, (long long)dimension);
    }
    IRZ_TRY(entity_groups(reader, kind, entity, &n_groups, group));
    IRZ_TRY(reserve_elements(reader, type, n_groups * count));
  }
  if (!scan->binary) IRZ_TRY(end_line(scan));
  if (n_groups == 0) return skip_elements(scan, count, bytes);
  for (int64_t i = 0; i < count; i++) {
    int64_t tag, node[10];
    if (scan->binary) {
      tag = irz_scan_take_size(scan);
      for (int k = 0; k < type->nodes; k++) node[k] = irz_scan_take_size(scan);
    } else {
      irz_scan_space(scan);
      if (!irz_scan_integer(scan, &tag)) return fail_expected(scan, "an element tag");
      for (int k = 0; k < type->nodes; k++) {
        if (!irz_scan_integer(scan, &node[k])) return fail_expected(scan, "a node tag");
      }
    }
    for (int32_t k = 0; k < n_groups; k++) IRZ_TRY(store_element(reader, type, tag, group[k], node));
    if (!scan->binary) IRZ_TRY(end_line(scan));
  }
  return IRZ_OK;
}

/// Elements of a 4.1 file.
static IrzCode read_elements_41(Reader *reader) {
  IrzScan *scan = &reader->scan;
  int64_t blocks, count, ignored;
  if (!scan->binary) irz_scan_space(scan);
  IRZ_TRY(read_size(scan, "number of blocks", 0, INT64_MAX, &blocks));
  IRZ_TRY(read_size(scan, "number of elements", 0, INT64_MAX, &count));
  IRZ_TRY(read_size(scan, "smallest tag", 0, INT64_MAX, &ignored));
  IRZ_TRY(read_size(scan, "largest tag", 0, INT64_MAX, &ignored));
  if (!scan->binary) IRZ_TRY(end_line(scan));
  int64_t left = count;
  for (int64_t i = 0; i < blocks; i++) IRZ_TRY(read_element_block(reader, &left));
  if (left == 0) return IRZ_OK;
  return irz_scan_fail(scan, scan->at, "%lld elements are announced, but the blocks hold %lld", (long long)count,
                       (long long)(count - left));
}

/// Elements; the nodes come before them.
static IrzCode read_elements(Reader *reader) {
  IrzScan *scan = &reader->scan;
  if (reader->has_elements) return irz_scan_fail(scan, scan->at, "a second section $Elements");
  if (!reader->has_nodes) return irz_scan_fail(scan, scan->at, "$Elements before $Nodes");
  reader->has_elements = true;
  if (reader->version == 41) {
    IRZ_TRY(read_elements_41(reader));
  } else {
    int64_t count;
    irz_scan_space(scan);
    IRZ_TRY(text_integer(scan, "number of elements", 0, INT64_MAX, &count));
    IRZ_TRY(check_count(scan, "elements", count, 8));
    IRZ_TRY(end_line(scan));
    IRZ_TRY(scan->binary ? read_elements_22_binary(reader, count) : read_elements_22_text(reader, count));
  }
  return end_section(scan, "$EndElements");
}

/// Go behind the end of a section we have no use for.
static IrzCode skip_section(IrzScan *scan, const char *name, size_t length) {
  char wanted[80];
  int wanted_length = snprintf(wanted, sizeof wanted, "$End%.*s", (int)(length < 64 ? length : 64), name);
  const char *at = scan->at;
  while (at < scan->end) {
    const char *found = memchr(at, '$', (size_t)(scan->end - at));
    if (found == NULL || scan->end - found < wanted_length) break;
    if (memcmp(found, wanted, (size_t)wanted_length) == 0 && irz_scan_is_boundary(scan, found + wanted_length)) {
      scan->at = found + wanted_length;
      return end_line(scan);
    }
    at = found + 1;
  }
  return irz_scan_fail(scan, scan->at, "section $%.*s has no end", (int)(length < 64 ? length : 64), name);
}

/// Read section after section.
static IrzCode read_sections(Reader *reader) {
  IrzScan *scan = &reader->scan;
  static const struct {
    const char *name;
    IrzCode (*read)(Reader *);
  } known[] = {{"PhysicalNames", read_names},
               {"Nodes", read_nodes},
               {"ParametricNodes", read_parametric_nodes},
               {"Elements", read_elements}};
  for (irz_scan_space(scan); scan->at < scan->end; irz_scan_space(scan)) {
    if (*scan->at != '$') {
      return reader->version == 0 ? irz_scan_fail(scan, scan->at, "not a Gmsh mesh: no $MeshFormat")
                                  : fail_expected(scan, "a section that begins with $");
    }
    const char *name = scan->at + 1, *stop = name;
    while (!irz_scan_is_boundary(scan, stop) && stop - name < 64) stop++;
    size_t length = (size_t)(stop - name);
#define IS_SECTION(text) (length == sizeof(text) - 1 && memcmp(name, text, sizeof(text) - 1) == 0)
    if (length >= 3 && memcmp(name, "End", 3) == 0) return fail_expected(scan, "the start of a section");
    if ((IS_SECTION("NOD") || IS_SECTION("PARA")) && reader->version == 0) {
      return irz_scan_fail(
          scan, scan->at,
          "a Gmsh mesh of version 1 is not supported: 2.2 and 4.1 are (gmsh OLD.msh -save -format msh41 "
          "-o NEW.msh converts)");
    }
    if (!IS_SECTION("MeshFormat") && !IS_SECTION("Comments") && reader->version == 0) {
      return irz_scan_fail(scan, scan->at, "not a Gmsh mesh of version 2.2 or 4.1: no $MeshFormat before $%.*s",
                           (int)length, name);
    }
    scan->at = stop;
    if (IS_SECTION("MeshFormat")) {
      if (reader->version != 0) return irz_scan_fail(scan, scan->at, "a second section $MeshFormat");
      IRZ_TRY(end_line(scan));
      IRZ_TRY(read_format(reader));
    } else if (IS_SECTION("Entities") || IS_SECTION("PartitionedEntities")) {
      IRZ_TRY(end_line(scan));
      IRZ_TRY(read_entities(reader, name[0] == 'P'));
    } else {
      IrzCode (*read)(Reader *) = NULL;
      for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (length == strlen(known[i].name) && memcmp(name, known[i].name, length) == 0) read = known[i].read;
      }
      if (read != NULL) {
        IRZ_TRY(end_line(scan));
        IRZ_TRY(read(reader));
      } else {
        IRZ_TRY(skip_section(scan, name, length));
      }
    }
#undef IS_SECTION
  }
  if (reader->version == 0) return irz_scan_fail(scan, scan->at, "not a Gmsh mesh: the file is empty");
  if (!reader->has_nodes) return irz_scan_fail(scan, scan->at, "the file ends without $Nodes");
  if (!reader->has_elements) return irz_scan_fail(scan, scan->at, "the file ends without $Elements");
  return IRZ_OK;
}

/// Free what reading needed.
static void reader_clear(Reader *reader) {
  irz_draft_clear(&reader->draft);
  irz_tags_clear(&reader->point_of_tag);
  for (int kind = 0; kind < 2; kind++) {
    irz_tags_clear(&reader->name_of_tag[kind]);
    irz_tags_clear(&reader->group_of_tag[kind]);
    irz_tags_clear(&reader->entity_of_tag[kind]);
  }
  free(reader->names);
  free(reader->entities);
  free(reader->entity_groups);
}

IrzCode irz_msh_parse(const char *data, size_t size, const char *name, double scale, IrzMesh **mesh, IrzError *error) {
  *mesh = NULL;
  Reader reader = {.scan = {.name = name, .begin = data, .end = data + size, .at = data, .error = error},
                   .error = error,
                   .scale = scale == 0 ? 1e-3 : scale,
                   .last_tag = {-1, -1}};
  if (!(reader.scale > 0 && reader.scale <= MAX_COORDINATE)) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: a scale of %g m per mesh unit is not positive", name, scale);
  }
  IrzCode code = read_sections(&reader);
  if (code == IRZ_OK) {
    irz_tags_clear(&reader.point_of_tag);
    code = irz_mesh_finish(&reader.draft, name, mesh, error);
  }
  reader_clear(&reader);
  return code;
}

/// Load a whole file.
static IrzCode load_file(const char *path, char **data, size_t *size, IrzError *error) {
  int file;
  off_t length;
  *data = NULL;
  IRZ_TRY(irz_file_open(path, &file, &length, error));
  IrzCode code = irz_alloc_unset(data, (size_t)length + 1, 1, error);
  for (*size = 0; code == IRZ_OK && *size < (size_t)length;) {
    ssize_t got = read(file, *data + *size, (size_t)length - *size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) code = irz_error_set(error, IRZ_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    if (got <= 0) break;
    *size += (size_t)got;
  }
  close(file);
  return code;
}

IrzCode irz_mesh_read(const char *path, double scale, IrzMesh **mesh, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(path != NULL && mesh != NULL && scale >= 0);
  *mesh = NULL;
  char *data;
  size_t size = 0;
  IrzCode code = load_file(path, &data, &size, error);
  if (code == IRZ_OK) code = irz_msh_parse(data, size, path, scale, mesh, error);
  free(data);
  return code;
}
