// Two needles in a box, the case of the comparison. Lengths in mm.
// Straight-sided tetrahedra, graded: the edge length grows linearly with the distance from the bare metal.
//
//   gmsh -nt 1 -3 -setnumber h 0.3 two_needles.geo -o two_needles.msh
//
// h scales every size: 1 gives about 18 thousand tetrahedra.
SetFactory("OpenCASCADE");

DefineConstant[
  h = {1, Name "Parameters/h"}, // scale of all sizes
  metal = 0.45,  // edge length on bare metal, before scaling
  growth = 0.4,  // edge length gained per distance from bare metal, before scaling
  radius = 0.535,
  spacing = 20,
  exposure = 20,
  size = 120
];

General.Verbosity = 3;
Mesh.Algorithm = 5;    // Delaunay on surfaces
Mesh.Algorithm3D = 10; // HXT in the volume
Mesh.MeshSizeExtendFromBoundary = 0;
Mesh.MeshSizeFromPoints = 0;
Mesh.MeshSizeFromCurvature = 0;
Mesh.SaveAll = 0;

half = size / 2;
tip = -exposure / 2;
top = exposure / 2;

Box(1) = {-half, -half, -half, size, size, size};
For i In {0 : 1}
  x = (i - 0.5) * spacing;
  Cylinder(10 + 2 * i) = {x, 0, tip, 0, 0, exposure, radius};
  Cylinder(11 + 2 * i) = {x, 0, top, 0, 0, half - top, radius};
EndFor
BooleanFragments{ Volume{10 : 13}; Delete; }{}
BooleanDifference(100) = { Volume{1}; Delete; }{ Volume{10 : 13}; Delete; };

// Surfaces by where they are. A box a little larger than each piece of metal catches exactly its faces.
e = 0.01;
For i In {0 : 1}
  x = (i - 0.5) * spacing;
  r = radius + e;
  metal~{i}() = Surface In BoundingBox{x - r, -r, tip - e, x + r, r, top + e};
  shaft~{i}() = Surface In BoundingBox{x - r, -r, top - e, x + r, r, half + e};
EndFor
Physical Volume("tissue", 1) = {100};
Physical Surface("A", 2) = {metal_0()};
Physical Surface("B", 3) = {metal_1()};

// Axes that only carry the size field: they belong to no physical group and are not saved.
For i In {0 : 1}
  x = (i - 0.5) * spacing;
  p = newp;
  Point(p) = {x, 0, tip};
  Point(p + 1) = {x, 0, top};
  Point(p + 2) = {x, 0, half};
  Line(1000 + 2 * i) = {p, p + 1};
  Line(1001 + 2 * i) = {p + 1, p + 2};
EndFor
Field[1] = Distance;
Field[1].CurvesList = {1000, 1002};
Field[1].NumPointsPerCurve = 200;
Field[2] = Threshold;
Field[2].InField = 1;
Field[2].SizeMin = metal * h;
Field[2].DistMin = radius;
Field[2].SizeMax = (metal + 70 * growth) * h;
Field[2].DistMax = radius + 70;
// The insulated shaft hardly matters, but edges longer than its diameter cannot be fitted to it.
Field[3] = Distance;
Field[3].CurvesList = {1001, 1003};
Field[3].NumPointsPerCurve = 200;
Field[4] = Threshold;
Field[4].InField = 3;
shaft = 1.0;
If(shaft > 2 * metal * h)
  shaft = 2 * metal * h;
EndIf
Field[4].SizeMin = shaft;
Field[4].DistMin = radius;
Field[4].SizeMax = shaft + 70 * growth * h;
Field[4].DistMax = radius + 70;
Field[5] = Min;
Field[5].FieldsList = {2, 4};
Background Field = 5;
