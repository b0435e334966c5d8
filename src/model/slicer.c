/* A solution as files for 3D Slicer, on the grid of the patient's label map. */
#include "anatomy/colors.h"
#include "anatomy/image_write.h"
#include "anatomy/markups_write.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/replace.h"
#include "io/stl.h"
#include "io/vtp.h"
#include "model/ask.h"
#include "zone/surface.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Margin of a grid of our own around the zone and the metal, m.
static const double own_margin = 0.01;

/// Voxels of a grid of our own at most.
static const double most_voxels = 2e8;

/// Length of a needle whose plan does not say it, m: what the usual ones have.
static const double usual_length = 0.15;

/// The colour of the zone.
static const float zone_color[3] = {0.85F, 0.15F, 0.2F};

/// What is written.
typedef struct {
  const IrzSolution *found;
  const IrzSummary *summary;
  const IrzPlan *plan;
  const char *directory;
  IrzVoxelGrid grid;
  int n_levels;
  double level[IRZ_MAX_ALSO]; ///< V/m, increasing, each once
  IrzVoxelField voxels;
  IrzSurface surface;
  int n_needles;
  char path[IRZ_PATH_MAX + IRZ_NAME_MAX + 32]; ///< of the file at work
} Writer;

/// The path of a file: NAME and an ending.
static const char *name_file(Writer *writer, const char *ending) {
  snprintf(writer->path, sizeof writer->path, "%s/%s%s", writer->directory, writer->plan->name, ending);
  return writer->path;
}

/* ---- Grids ---- */

/// The box of the zone and of the bare metal.
static void find_box(const Writer *writer, double low[3], double high[3]) {
  const IrzPlan *plan = writer->plan;
  const IrzZone *zone = &writer->summary->zone;
  for (int d = 0; d < 3; d++) {
    bool some = zone->volume > 0;
    low[d] = some ? zone->box[0][d] : INFINITY;
    high[d] = some ? zone->box[1][d] : -INFINITY;
    for (int p = 0; p < plan->n_probes; p++) {
      const IrzProbe *probe = &plan->probes[p];
      if (!probe->has_geometry) continue;
      double tip = probe->tip[d], top = tip + probe->exposure * probe->direction[d];
      low[d] = fmin(low[d], fmin(tip, top));
      high[d] = fmax(high[d], fmax(tip, top));
    }
    if (low[d] > high[d]) low[d] = high[d] = 0;
    low[d] -= own_margin;
    high[d] += own_margin;
  }
}

/// Choose the grid: that of the label map, or one around the zone, along the axes, with centres at multiples of the
/// voxels.
static IrzCode choose_grid(Writer *writer, IrzError *error) {
  const IrzLabelMap *labels = writer->found->stage->labels;
  IrzVoxelGrid *grid = &writer->grid;
  double low[3], high[3], n = 1;
  if (labels != NULL) {
    for (int d = 0; d < 3; d++) {
      grid->size[d] = labels->size[d];
      grid->origin[d] = labels->to_world[d][3];
      for (int a = 0; a < 3; a++) grid->step[a][d] = labels->to_world[d][a];
    }
    return IRZ_OK;
  }
  const double voxel = writer->plan->output.voxel;
  find_box(writer, low, high);
  for (int d = 0; d < 3; d++) n *= ceil((high[d] - low[d]) / voxel) + 1;
  if (n > most_voxels) {
    return irz_error_set(error, IRZ_ERR_OUTPUT,
                         "%s: output.voxel: %.3g voxels of %g mm for 3D Slicer are too many: state larger ones, or "
                         "output.slicer: false",
                         writer->plan->file, n, 1e3 * voxel);
  }
  for (int d = 0; d < 3; d++) {
    double first = floor(low[d] / voxel);
    grid->size[d] = (int)(ceil(high[d] / voxel) - first) + 1;
    grid->origin[d] = first * voxel;
    grid->step[d][d] = voxel;
  }
  return IRZ_OK;
}

/* ---- Segments ---- */

static int by_size(const void *a, const void *b) {
  const double *one = a, *other = b;
  return (*one > *other) - (*one < *other);
}

/// List the thresholds of `zone.also`.
static void list_levels(Writer *writer) {
  int n = 0;
  memcpy(writer->level, writer->plan->zone.also, sizeof writer->level);
  qsort(writer->level, (size_t)writer->plan->zone.n_also, sizeof writer->level[0], by_size);
  for (int i = 0; i < writer->plan->zone.n_also; i++) {
    if (n == 0 || writer->level[i] != writer->level[n - 1]) writer->level[n++] = writer->level[i];
  }
  writer->n_levels = n;
}

/// Whether regions have thresholds of their own.
static bool has_thresholds(const IrzZone *zone) {
  for (int i = 0; i < zone->n_regions; i++) {
    if (zone->regions[i].threshold != zone->threshold) return true;
  }
  return false;
}

/// The zone, and what each further threshold comes to: from yellow to violet the stronger the field.
static void list_segments(const Writer *writer, IrzSegment segment[1 + IRZ_MAX_ALSO]) {
  const IrzZone *zone = &writer->summary->zone;
  bool several = has_thresholds(zone);
  segment[0] = (IrzSegment){.mask = IRZ_VOXEL_ZONE, .least = IRZ_VOXEL_ZONE};
  memcpy(segment[0].color, zone_color, sizeof zone_color);
  snprintf(segment[0].id, sizeof segment[0].id, "zone");
  snprintf(segment[0].name, sizeof segment[0].name, "ablation zone");
  snprintf(segment[0].tags, sizeof segment[0].tags,
           several ? "irezone.threshold_V_per_cm:%.10g, or the tissue's own|" : "irezone.threshold_V_per_cm:%.10g|",
           zone->threshold / 100);
  for (int i = 0; i < writer->n_levels; i++) {
    IrzSegment *next = &segment[1 + i];
    double share = writer->n_levels > 1 ? (double)i / (writer->n_levels - 1) : 0, level = writer->level[i] / 100;
    *next = (IrzSegment){.mask = IRZ_VOXEL_LEVELS, .least = (uint8_t)(i + 1)};
    next->color[0] = (float)(1 - 0.6 * share);
    next->color[1] = (float)(0.8 - 0.7 * share);
    next->color[2] = (float)(0.2 + 0.5 * share);
    snprintf(next->id, sizeof next->id, "field_%.10g", level);
    snprintf(next->name, sizeof next->name, "field of %.10g V/cm and more", level);
    snprintf(next->tags, sizeof next->tags, "irezone.threshold_V_per_cm:%.10g|", level);
  }
}

/// Write the images.
static IrzCode write_images(Writer *writer, IrzError *error) {
  const int threads = writer->found->stage->threads;
  IrzVoxels voxels = {.grid = &writer->grid, .byte = writer->voxels.code};
  IrzSegment segment[1 + IRZ_MAX_ALSO];
  char what[80];
  memcpy(voxels.first, writer->voxels.first, sizeof voxels.first);
  memcpy(voxels.count, writer->voxels.count, sizeof voxels.count);
  list_segments(writer, segment);
  IRZ_TRY(irz_segments_write(name_file(writer, "_zone.seg.nrrd"), &voxels, 1 + writer->n_levels, segment,
                             "ablation zone, by irezone", threads, error));
  bool narrow = irz_nifti_holds(&writer->grid);
  snprintf(what, sizeof what, "irezone: 1 in the ablation zone");
  if (narrow) {
    IRZ_TRY(irz_nifti_write(name_file(writer, "_zone_labels.nii.gz"), &voxels, IRZ_VOXEL_ZONE, IRZ_VOXEL_ZONE, what,
                            threads, error));
  }
  voxels.byte = NULL;
  voxels.real = writer->voxels.field;
  snprintf(what, sizeof what, "irezone: largest field, V/cm; 0 where it was not computed");
  IRZ_TRY(irz_nrrd_write(name_file(writer, "_field.nrrd"), &voxels, what, threads, error));
  return narrow ? irz_nifti_write(name_file(writer, "_field.nii.gz"), &voxels, 0, 0, what, threads, error) : IRZ_OK;
}

/* ---- Surfaces ---- */

/// Write the zone's surface, in the frame of the other results, and say which that is: 3D Slicer looks for it, and
/// takes coordinates for LPS if it finds nothing.
static IrzCode write_surfaces(Writer *writer, IrzError *error) {
  const IrzVtpText space = {"SPACE", "RAS"};
  const IrzVtp surface = {.n_points = writer->surface.n_points,
                          .points = (const double(*)[3])writer->surface.points,
                          .n_triangles = writer->surface.n_triangles,
                          .triangles = (const int32_t(*)[3])writer->surface.triangles,
                          .n_texts = 1,
                          .texts = &space};
  IRZ_TRY(irz_vtp_write(name_file(writer, "_zone.vtp"), &surface, error));
  return irz_stl_write(name_file(writer, "_zone.stl"), &writer->surface, "irezone ablation zone, mm; SPACE=RAS", error);
}

/* ---- Needles ---- */

/// The line of a needle, or of its bare metal.
static void needle_line(const IrzPlan *plan, const IrzProbe *probe, bool metal, double length, IrzMarkupsLine *line) {
  static const double colors[6][3] = {{0.1, 0.75, 0.95}, {1, 0.75, 0.1},    {0.35, 0.9, 0.35},
                                      {1, 0.45, 0.8},    {0.65, 0.55, 1.0}, {0.9, 0.9, 0.9}};
  const char *name = probe->needle[0] != '\0' && !metal ? probe->needle : probe->name;
  snprintf(line->name, sizeof line->name, metal ? "%s bare metal" : "%s", name);
  snprintf(line->label[0], sizeof line->label[0], "%s-tip", name);
  snprintf(line->label[1], sizeof line->label[1], metal ? "%s-top" : "%s-handle", name);
  memcpy(line->color, colors[(probe - plan->probes) % 6], sizeof line->color);
  for (int d = 0; d < 3; d++) {
    line->point[0][d] = probe->tip[d];
    line->point[1][d] = probe->tip[d] + length * probe->direction[d];
    if (metal) line->color[d] = 0.85;
  }
}

/// List the needles.
/// @param[in] metal  each electrode's bare metal
static int list_lines(const IrzPlan *plan, bool metal, IrzMarkupsLine line[IRZ_MAX_PROBES]) {
  int n = 0;
  for (int p = 0; p < plan->n_probes; p++) {
    const IrzProbe *probe = &plan->probes[p];
    if (!probe->has_geometry || probe->diameter <= 0 || (!metal && probe->place > 0)) continue;
    double length = plan->patient.needles.on ? plan->patient.needles.length : NAN;
    if (!(length > probe->exposure)) length = fmax(usual_length, 2 * probe->exposure);
    needle_line(plan, probe, metal, metal ? probe->exposure : length, &line[n++]);
  }
  return n;
}

static IrzCode write_needles(Writer *writer, IrzError *error) {
  IrzMarkupsLine line[IRZ_MAX_PROBES];
  int n = list_lines(writer->plan, false, line);
  writer->n_needles = n;
  if (n == 0) return IRZ_OK;
  IRZ_TRY(irz_markups_write(name_file(writer, "_needles.mrk.json"), n, line, error));
  n = list_lines(writer->plan, true, line);
  return irz_markups_write(name_file(writer, "_metal.mrk.json"), n, line, error);
}

/* ---- The script ---- */

/// The script after its data. It keeps to slicer.util and to methods of nodes that 3D Slicer documents.
static const char script[] =
    "\n"
    "\n"
    "def folder():\n"
    "    try:\n"
    "        return os.path.dirname(os.path.abspath(__file__))\n"
    "    except NameError:  # pasted into the console\n"
    "        return os.getcwd()\n"
    "\n"
    "\n"
    "def find(name):\n"
    "    \"\"\"The path of a file: as stated, or beside this script.\"\"\"\n"
    "    for path in (os.path.join(folder(), name), os.path.join(folder(), os.path.basename(name))):\n"
    "        if os.path.isfile(path):\n"
    "            return path\n"
    "    return None\n"
    "\n"
    "\n"
    "def load(loader, name, title=None):\n"
    "    \"\"\"Load a file with one of slicer.util's functions; None, with a line that says why, if that fails.\"\"\"\n"
    "    path = find(name)\n"
    "    if path is None:\n"
    "        print(f\"{name} is not there\")\n"
    "        return None\n"
    "    try:\n"
    "        node = loader(path)\n"
    "    except Exception as problem:\n"
    "        print(f\"{path} could not be loaded: {problem}\")\n"
    "        return None\n"
    "    if title and hasattr(node, \"SetName\"):\n"
    "        node.SetName(title)\n"
    "    return node\n"
    "\n"
    "\n"
    "def load_labels():\n"
    "    \"\"\"The patient's label map, with the names of its labels.\"\"\"\n"
    "    name = DATA[\"labels\"]\n"
    "    if name is None:\n"
    "        return None\n"
    "    if name.endswith(\".seg.nrrd\"):\n"
    "        node = load(slicer.util.loadSegmentation, name)\n"
    "        if node:\n"
    "            node.CreateClosedSurfaceRepresentation()\n"
    "            node.GetDisplayNode().SetOpacity3D(0.4)\n"
    "        return None\n"
    "    colors = load(slicer.util.loadColorTable, DATA[\"name\"] + \"_labels.ctbl\")\n"
    "    node = load(slicer.util.loadLabelVolume, name)\n"
    "    if node and colors:\n"
    "        node.GetDisplayNode().SetAndObserveColorNodeID(colors.GetID())\n"
    "    return node\n"
    "\n"
    "\n"
    "def load_all(image_path=None):\n"
    "    name = DATA[\"name\"]\n"
    "    image = load(slicer.util.loadVolume, os.path.abspath(image_path)) if image_path else None\n"
    "    labels = load_labels()\n"
    "    field = load(slicer.util.loadVolume, name + \"_field.nrrd\", name + \" field (V/cm)\")\n"
    "    if field:\n"
    "        display = field.GetDisplayNode()\n"
    "        display.AutoWindowLevelOff()\n"
    "        display.SetWindowLevelMinMax(0, DATA[\"field_most\"])\n"
    "        display.SetAndObserveColorNodeID(\"vtkMRMLColorTableNodeFileColdToHotRainbow.txt\")\n"
    "    zone = load(slicer.util.loadSegmentation, name + \"_zone.seg.nrrd\", name + \" zone\")\n"
    "    if zone:\n"
    "        zone.CreateClosedSurfaceRepresentation()\n"
    "        display = zone.GetDisplayNode()\n"
    "        display.SetOpacity3D(0.5)\n"
    "        segments = zone.GetSegmentation()\n"
    "        for i in range(1, segments.GetNumberOfSegments()):  # further thresholds: there, but not shown at first\n"
    "            display.SetSegmentVisibility(segments.GetNthSegmentID(i), False)\n"
    "    if DATA[\"needles\"]:\n"
    "        load(slicer.util.loadMarkups, name + \"_needles.mrk.json\")\n"
    "        load(slicer.util.loadMarkups, name + \"_metal.mrk.json\")\n"
    "    background = image or field\n"
    "    slicer.util.setSliceViewerLayers(\n"
    "        background=background,\n"
    "        foreground=field if image else None,\n"
    "        foregroundOpacity=0.3,\n"
    "        label=labels,\n"
    "        labelOpacity=0.4,\n"
    "        fit=True,\n"
    "    )\n"
    "    try:  # there is no layout manager without a window\n"
    "        view = slicer.app.layoutManager().threeDWidget(0).threeDView()\n"
    "        view.resetFocalPoint()\n"
    "    except AttributeError:\n"
    "        pass\n"
    "\n"
    "\n"
    "images = [word for word in sys.argv[1:] if os.path.isfile(word) and not word.endswith(\".py\")]\n"
    "load_all(images[0] if images else None)\n";

/// What the script must know, as JSON of ASCII, which fits between Python's three quotes.
static json_t *script_data(const Writer *writer) {
  const IrzPlan *plan = writer->plan;
  const char *labels = plan->anatomy.labels;
  double most = 3 * writer->summary->zone.threshold / 100;
  return json_pack("{s:s, s:s?, s:b, s:f}", "name", plan->name, "labels", labels[0] != '\0' ? labels : NULL, "needles",
                   writer->n_needles > 0, "field_most", most);
}

static IrzCode write_script(Writer *writer, IrzError *error) {
  irz_json_watch();
  json_t *data = script_data(writer);
  char *text = data != NULL ? json_dumps(data, JSON_INDENT(4) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(10)) : NULL;
  json_decref(data);
  if (!irz_json_watched() || text == NULL) {
    free(text);
    return irz_out_of_memory(0, error);
  }
  IrzReplace file;
  FILE *out;
  IrzCode code = irz_replace_begin(&file, name_file(writer, "_load_in_slicer.py"), error);
  if (code == IRZ_OK) code = irz_replace_stream(&file, &out, error);
  if (code == IRZ_OK) {
    fprintf(out,
            "\"\"\"Show a result of irezone in 3D Slicer, over a CT if one is given:\n\n"
            "    Slicer --python-script THIS_FILE [CT.nrrd]\n\"\"\"\n"
            "import json\nimport os\nimport sys\n\nimport slicer\n\nDATA = json.loads(r\"\"\"%s\"\"\")\n",
            text);
    fputs(script, out);
    code = irz_replace_commit(&file, error);
  }
  free(text);
  return code;
}

/// Write all files. On one rank.
static IrzCode write_all(Writer *writer, IrzError *error) {
  const IrzLabelMap *labels = writer->found->stage->labels;
  IRZ_TRY(write_images(writer, error));
  IRZ_TRY(write_surfaces(writer, error));
  IRZ_TRY(write_needles(writer, error));
  if (labels != NULL) IRZ_TRY(irz_color_table_write(name_file(writer, "_labels.ctbl"), labels, error));
  return write_script(writer, error);
}

IrzCode irz_solution_write_slicer(const IrzSolution *found, const char *directory, const IrzSummary *summary,
                                  IrzError *error) {
  const IrzStage *stage = found->stage;
  const IrzPlan *plan = summary->plan;
  if (!plan->output.slicer) return IRZ_OK;
  Writer writer = {.found = found, .summary = summary, .plan = plan, .directory = directory};
  list_levels(&writer);
  IrzCode code = choose_grid(&writer, error);
  if (code == IRZ_OK)
    code = irz_solution_voxels(found, &writer.grid, true, writer.n_levels, writer.level, &writer.voxels, error);
  if (code == IRZ_OK)
    code = irz_zone_surface(stage->medium, &found->sides, &found->drawn, found->threshold, &writer.surface, error);
  if (code == IRZ_OK) {
    if (stage->part->rank == 0) write_all(&writer, error);
    code = irz_error_agree(stage->comm, error);
  }
  irz_surface_clear(&writer.surface);
  irz_voxel_field_clear(&writer.voxels);
  return code;
}
