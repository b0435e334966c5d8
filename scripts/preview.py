#!/usr/bin/env python3
"""preview.py RESULT.hdf [-o PICTURE.png]

A picture of a result: the zone, the needles and the anatomy in space, and the field on two slices. Without -o the picture
is written beside the result.
"""
import errno
import math
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import irezone_result as result  # noqa: E402
from irezone_shown import BARE, GREY, INSULATED, RED, SOLID, WHOLE, Shown, add, cross, extent_seen, grown, oblique, output, side, unit  # noqa: E402
from irezone_view import INK, Picture, text_width  # noqa: E402

SIZE = (1600, 1000)
HEAD, FOOT, SPLIT = 92, 128, 800  # pixels: title, legend, and where the slices begin
MARGIN = 8.0  # mm around the zone
WHITE = (1.0, 1.0, 1.0)
BLACK = (0.0, 0.0, 0.0)


def field_top(summary):
    """Where the colours of the field end, V/cm."""
    return 3.0 * max(value for _, value in result.thresholds(summary))


def show_probes(shown, view, top):
    """Needles and plates with their names; `top`: where the names of the needles go, mm along `up` from their ends."""
    names = []  # of needles one behind the other: [place, text]
    for bare, shaft, _, end, _, name in shown.tubes:
        for part in bare:
            view.show(part, BARE, shine=0.6, ambient=0.15)
        view.show(shaft, INSULATED, shine=0.2)
        if name is None:
            continue
        place = add(end, top)
        same = next((entry for entry in names if view.apart(entry[0], place) < 22), None)
        if same is None:
            names.append([place, name])
        else:
            same[1] += ", " + name
    for place, text in names:
        view.label(text, place, size=20)
    for block, plate in shown.plates:
        view.show(block, BARE, 0.7, shine=0.3)
        edge = add(plate["face_mm"], shown.scene.up, plate["height_mm"] / 2 + 2)
        view.label(plate["name"], add(edge, plate["direction"], 1), size=20)
    if not shown.tubes and not shown.plates:
        view.show(shown.electrode_walls(), GREY)


def round_length(length):
    """1, 2 or 5 times a power of ten, not longer than this."""
    power = 10 ** math.floor(math.log10(length))
    return max(step * power for step in (1, 2, 5) if step * power <= length * 1.0001)


def fill_space(shown, view):
    """The zone, the needles and the anatomy in space."""
    scene = shown.scene
    towards = oblique(scene)
    right = unit(cross(scene.up, towards))
    up = cross(towards, right)
    seen = grown(scene.focus_box, 1.0, MARGIN)
    half = 0.56 * max(extent_seen(seen, up), extent_seen(seen, right))
    view.aim(scene.focus, towards, up, half)
    show_probes(shown, view, [1.5 * x for x in scene.up])
    for surface, _, colour, share in shown.regions:
        if share <= WHOLE:
            view.show(surface, colour, 0.32 if share > SOLID else 0.8, shine=0.1, ambient=0.1)
    if shown.zone is not None:
        view.show(shown.zone, RED, 0.5, shine=0.15, ambient=0.25)
    view.scale(round_length(0.4 * half))
    if shown.hidden:
        view.caption("zone in mapped tissue, without vessels", [0.015, 0.965], size=14, backed=True)
    if scene.summary.get("frame") == "RAS":
        view.directions(right, up)


def fill_slice(shown, view, plane, aspect):
    """A slice seen face on, as wide as `aspect` times its height."""
    scene = shown.scene
    seen = grown(scene.focus_box, 1.0, MARGIN)
    half = 0.5 * max(extent_seen(seen, plane.up), extent_seen(seen, plane.right) / aspect)
    view.aim(scene.focus, plane.normal, plane.up, half)
    view.show_field(shown.field_on(plane, (1.02 * aspect * half, 1.02 * half)), result.FIELD, field_top(scene.summary))
    step = 0.02 * half  # lines lie one above the other
    for surface, _, colour, _ in shown.regions:
        for line, paint, width in zip(shown.outline_on(plane, surface, step, 2 * step), (WHITE, colour), (4.5, 3)):
            view.show(line, paint, width=width)
    if shown.threshold is not None:
        for line, paint, width in zip(shown.outline_on(plane, shown.threshold, 3 * step, 4 * step), (BLACK, WHITE), (6, 3.5)):
            view.show(line, paint, width=width)
    across = abs(sum(a * b for a, b in zip(scene.up, plane.normal))) > 0.7
    show_probes(shown, view, [2.5 * x for x in (plane.right if across else scene.up)])
    view.scale(round_length(0.6 * half))
    if scene.summary.get("frame") == "RAS":
        for x, y in ((-1, 0), (1, 0), (0, 1), (0, -1)):
            way = [x * a + y * b for a, b in zip(plane.right, plane.up)]
            at = [(1 + 0.955 * x) / 2, (1 + 0.92 * y) / 2 - 0.02]
            view.caption(side(way), at, size=20, bold=True, across="Center", backed=True)


def fill_head(shown, view):
    """Title, and what became of the targets."""
    summary = shown.scene.summary
    lines = []
    for target in summary.get("targets") or []:
        text = f"{target['region']}: "
        covered = target.get("coverage")
        text += f"{math.floor(1000 * covered) / 10:g} % covered" if covered is not None else "coverage unknown"
        margin = (target.get("margin_mm") or {}).get("min")
        if margin is not None:
            text += f", smallest margin {margin:.1f} mm" if margin >= 0 else f", misses by up to {-margin:.1f} mm"
        if target.get("wanted_margin_mm"):
            text += f" (wanted {target['wanted_margin_mm']:g} mm)"
        lines.append(text)
    view.caption(fitted(shown.scene.title(), 26, SIZE[0] - 50), [0.016, 0.52 if lines else 0.34], size=26, bold=True)
    if lines:
        view.caption(fitted("      ".join(lines), 20, SIZE[0] - 50), [0.016, 0.13], size=20)


def fitted(text, size, width):
    """A text that is not wider than some pixels."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + " ...", size) > width:
        text = text[:-1]
    return text + " ..."


def legend_entries(shown):
    """What is shown: (colour, name, kind)."""
    entries = []
    value = result.one_threshold(shown.scene.summary)
    if shown.zone is not None:
        entries.append((RED, "zone" + (f" (from {value:g} V/cm)" if value else ""), "zone"))
    if shown.tubes:
        entries += [(BARE, "bare metal", "box"), (INSULATED, "insulated shaft", "box")]
    if shown.plates:
        entries.append((BARE, "plate", "box"))
    if not shown.tubes and not shown.plates:
        entries.append((GREY, "electrode", "box"))
    for _, name, colour, share in shown.regions:
        entries.append((colour, name + (" (outline)" if share > WHOLE else ""), "line" if share > WHOLE else "box"))
    return entries


def fill_foot(shown, view):
    """The legend of all that is shown, and of the field's colours."""
    entries, rows, columns, wide = legend_entries(shown), 3, 4, 278
    if len(entries) > rows * columns:
        left = len(entries) - rows * columns + 1
        entries = [*entries[: rows * columns - 1], (WHITE, f"and {left} more", "box")]
    for k, (colour, name, kind) in enumerate(entries):
        x, y = 26 + wide * (k // rows), FOOT - 40 - 34 * (k % rows)
        if kind == "line":
            view.patch((x, y + 6), (x + 28, y + 11), colour)
        else:
            view.patch((x - 1, y - 1), (x + 29, y + 18), GREY if kind == "box" else BLACK)
            view.patch((x, y), (x + 28, y + 17), colour)
        if kind == "zone":
            view.patch((x + 30, y + 6), (x + 50, y + 11), BLACK)
            view.patch((x + 30, y + 7), (x + 50, y + 10), WHITE)
        start = x + (56 if kind == "zone" else 38)
        view.caption(fitted(name, 17, x + wide - 6 - start), [start / SIZE[0], (y + 3) / FOOT], size=17)
    values = [value for _, value in result.thresholds(shown.scene.summary)]
    top = field_top(shown.scene.summary)
    view.legend(top, sorted({0.0, top / 3, top * 2 / 3, top, *values}), (1150, 40), (1560, 62))


def write_picture(shown, output_path):
    """Title above, what is shown in space on the left, two slices on the right, legend below."""
    result.need_screen()
    picture = Picture(SIZE)
    width, height = SIZE
    top, middle = height - HEAD, (height - HEAD + FOOT) // 2
    picture.add(0, 0, width, height).renderer.SetBackground(0.85, 0.85, 0.87)  # lines between the views
    space = picture.add(0, FOOT, SPLIT - 1, top, peel=True)
    slices = [picture.add(SPLIT + 1, middle + 1, width, top), picture.add(SPLIT + 1, FOOT, width, middle - 1)]
    head, foot = picture.add(0, top + 2, width, height), picture.add(0, 0, width, FOOT - 2)
    fill_space(shown, space)
    for view, plane in zip(slices, shown.planes()):
        fill_slice(shown, view, plane, (width - SPLIT) / (top - middle))
    fill_head(shown, head)
    fill_foot(shown, foot)
    for view in (space, *slices, head, foot):
        view.done()
    with result.replacing(output_path) as temporary:
        if not picture.write(temporary) or os.path.getsize(temporary) == 0:
            raise OSError(errno.EIO, "VTK failed to write it")


def main():
    """The command line."""
    import argparse

    parser = argparse.ArgumentParser(description="A picture of a result.")
    parser.add_argument("result", help="RESULT.hdf")
    parser.add_argument("-o", "--output", help="PICTURE.png (default: beside the result)")
    options = parser.parse_args()
    output = options.output or os.path.splitext(options.result)[0] + ".png"
    if not output.endswith(".png"):
        result.fail(f"{output}: unknown ending; allowed is .png", 2)
    if not os.access(os.path.dirname(os.path.abspath(output)), os.W_OK):
        result.fail(f"{output}: cannot be written: its folder is missing or not writable", 5)
    result.need_vtk()
    write_picture(Shown(options.result, result.read_summary(options.result)), output)
    print(f"{output}: {SIZE[0]} x {SIZE[1]}")


if __name__ == "__main__":
    result.run(main)
