#!/usr/bin/python3
"""The two-needle problem in FEniCSx 0.5: fenicsx.py MESH.msh ORDER [--result FILE.xdmf] [--tight] [--plain]

At its best: Newton on the full tangent from the linear solution, inexact linear solves, CG with BoomerAMG tuned for
three dimensions, the hierarchy set up twice, kernels compiled for this machine; order 2 starts from the solution at
order 1. Plain is what the manual leads to: Newton at the order wanted, CG with BoomerAMG as it comes.
Prints one JSON line.
"""
import argparse
import json
import os
import sys
import time

start = time.perf_counter()
os.environ.setdefault("OMP_NUM_THREADS", "1")

import gmsh
import numpy as np
import ufl
from dolfinx import fem, io
from dolfinx.io import gmshio
from dolfinx.fem import petsc as fem_petsc
from mpi4py import MPI
from petsc4py import PETSc

JIT = {
    "cffi_extra_compile_args": ["-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math"],
    "cffi_libraries": ["m"],
    "cffi_verbose": False,
}
LOW, HIGH, CENTER, WIDTH = 0.1, 0.35, 580.0, 80.0  # S/m, V/cm
VOLTAGE, THRESHOLD = 3000.0, 500.0  # V, V/cm
PREFIX = "two_needles_"
PER_CM = 10.0  # V/mm to V/cm


def read(path):
    """Mesh and surface tags through the Gmsh API."""
    gmsh.initialize()
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.merge(path)
    mesh, _, facets = gmshio.model_to_mesh(gmsh.model, MPI.COMM_SELF, 0)
    gmsh.finalize()
    return mesh, facets


class Problem:
    """The field at one order on one mesh."""

    def __init__(self, mesh, facets, order, plain):
        self.plain = plain
        space = fem.FunctionSpace(mesh, ("CG", order))
        self.space = space
        self.phi = fem.Function(space)
        self.step = fem.Function(space)
        self.metadata = {"quadrature_degree": 2 * (order - 1)}
        dx = ufl.Measure("dx", mesh, metadata=self.metadata)

        self.field = ufl.sqrt(ufl.inner(ufl.grad(self.phi), ufl.grad(self.phi)) + 1e-30) * PER_CM
        self.sigma = LOW + (HIGH - LOW) / (1 + ufl.exp(-(self.field - CENTER) / WIDTH))
        u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
        residual = self.sigma * ufl.inner(ufl.grad(self.phi), ufl.grad(v)) * dx
        self.residual = fem.form(residual, jit_params=JIT)
        self.tangent = fem.form(ufl.derivative(residual, self.phi, u), jit_params=JIT)
        self.power = fem.form(self.sigma * ufl.inner(ufl.grad(self.phi), ufl.grad(self.phi)) * dx, jit_params=JIT)
        above = ufl.conditional(ufl.ge(self.field, THRESHOLD), 1.0, 0.0)
        self.zone = fem.form(
            above * ufl.dx(mesh, metadata={"quadrature_degree": 0 if order == 1 else 14}), jit_params=JIT
        )

        on = [fem.locate_dofs_topological(space, 2, facets.find(tag)) for tag in (2, 3)]
        self.values = fem.Function(space)
        self.values.x.array[on[0]] = VOLTAGE
        self.fixed = np.concatenate(on)
        self.bc = fem.dirichletbc(self.values, self.fixed)
        self.matrix = fem_petsc.create_matrix(self.tangent)
        self.vector = fem_petsc.create_vector(self.residual)
        self.newton = self.linear = 0

    def solver(self, tolerance):
        """CG with BoomerAMG."""
        ksp = PETSc.KSP().create(MPI.COMM_SELF)
        options = PETSc.Options()
        settings = {
            "ksp_type": "cg",
            "ksp_rtol": tolerance,
            "pc_type": "hypre",
            "pc_hypre_type": "boomeramg",
        }
        tuned = {
            "pc_hypre_boomeramg_strong_threshold": 0.7,
            "pc_hypre_boomeramg_coarsen_type": "HMIS",
            "pc_hypre_boomeramg_interp_type": "ext+i",
            "pc_hypre_boomeramg_P_max": 4,
            "pc_hypre_boomeramg_agg_nl": 1,
        }
        for key, value in {**settings, **({} if self.plain else tuned)}.items():
            options.setValue(PREFIX + key, value)
        ksp.setOptionsPrefix(PREFIX)
        ksp.setFromOptions()
        ksp.setOperators(self.matrix)
        return ksp

    def assemble_residual(self):
        """Residual at phi; zero where the potential is given."""
        with self.vector.localForm() as local:
            local.set(0)
        fem_petsc.assemble_vector(self.vector, self.residual)
        self.vector.array[self.fixed] = 0
        return self.vector.norm()

    def solve(self, guess, relative, inner):
        """Newton from `guess` (a function on a space of lower order), or from the linear solution."""
        if guess is not None:
            self.phi.interpolate(guess)
        self.phi.x.array[self.fixed] = self.values.x.array[self.fixed]
        ksp = self.solver(inner)
        first = None
        while True:
            norm = self.assemble_residual()
            if first is None:
                first = norm
            if (norm <= relative * first and self.newton > 1) or self.newton == 30:
                return norm <= relative * first
            self.matrix.zeroEntries()
            fem_petsc.assemble_matrix(self.matrix, self.tangent, bcs=[self.bc])
            self.matrix.assemble()
            PETSc.Options().setValue(PREFIX + "ksp_reuse_preconditioner", not self.plain and self.newton not in (0, 2))
            ksp.setFromOptions()
            ksp.setOperators(self.matrix)
            ksp.solve(self.vector, self.step.vector)
            self.phi.x.array[:] -= self.step.x.array
            self.newton += 1
            self.linear += ksp.getIterationNumber()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mesh")
    parser.add_argument("order", type=int, choices=(1, 2))
    parser.add_argument("--result", help="write potential and field (XDMF)")
    parser.add_argument("--tight", action="store_true", help="solve to 10 digits, to compare answers")
    parser.add_argument("--plain", action="store_true", help="nothing tuned")
    arguments = parser.parse_args()
    relative, inner = (1e-11, 1e-4) if arguments.tight else (1e-5, 3e-2)

    mesh, facets = read(arguments.mesh)
    read_time = time.perf_counter() - start
    guess, newton, linear = None, 0, 0
    for order in (arguments.order,) if arguments.plain else range(1, arguments.order + 1):
        problem = Problem(mesh, facets, order, arguments.plain)
        # The first start is zero: its field is below the transition, so the first step is the linear solution.
        target = relative if order == arguments.order else 1e-3
        if not problem.solve(guess, target, inner):
            sys.exit("Newton did not converge")
        guess = problem.phi
        newton, linear = newton + problem.newton, linear + problem.linear
    current = fem.assemble_scalar(problem.power) * 1e-3 / VOLTAGE
    volume = fem.assemble_scalar(problem.zone) * 1e-3
    if arguments.result:
        with io.XDMFFile(MPI.COMM_SELF, arguments.result, "w") as file:
            file.write_mesh(mesh)
            linear_phi = fem.Function(fem.FunctionSpace(mesh, ("CG", 1)), name="potential")
            linear_phi.interpolate(problem.phi)
            file.write_function(linear_phi)
            constant = fem.FunctionSpace(mesh, ("DG", 0))
            field = fem.Function(constant, name="field")
            points = constant.element.interpolation_points()
            field.interpolate(fem.Expression(problem.field, points, jit_params=JIT))
            file.write_function(field)
    print(
        json.dumps(
            {
                "current_A": current,
                "volume_cm3": volume,
                "unknowns": problem.space.dofmap.index_map.size_global,
                "newton": newton,
                "linear": linear,
                "read_s": round(read_time, 3),
            }
        )
    )


main()
