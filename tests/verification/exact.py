"""Exact solutions of div(sigma(|E|) grad phi) = 0, by quadrature and root finding. SI units throughout.

Nothing here comes from irezone. `python3 exact.py` checks these solutions against a table computed by other means
and against closed forms.
"""

import math

import numpy as np
from scipy.integrate import dblquad, quad
from scipy.optimize import brentq
from scipy.special import ellipe

V_PER_CM = 100.0  # V/m
MM = 1e-3  # m


class Law:
    """sigma(E): the same keys and units (V/cm, S/m) as in a plan; calls take and give SI."""

    def __init__(self, law, **keys):
        self.law, self.keys = law, keys
        if law in ("ramp", "smoothstep"):
            self.breaks = [keys["from"] * V_PER_CM, keys["to"] * V_PER_CM]
        elif law == "sigmoid":
            self.breaks = [(keys["center"] + n * keys["width"]) * V_PER_CM for n in (-5, 0, 5)]
        elif law == "table":
            self.breaks = [field * V_PER_CM for field in keys["field"]]
        else:
            self.breaks = []

    def __call__(self, field):
        k, e = self.keys, field / V_PER_CM
        if self.law == "constant":
            return k["value"]
        if self.law == "sigmoid":
            return k["low"] + (k["high"] - k["low"]) / (1 + math.exp(-(e - k["center"]) / k["width"]))
        if self.law == "gompertz":
            return k["low"] + (k["high"] - k["low"]) * math.exp(-k["a"] * math.exp(-k["b"] * e))
        if self.law == "table":
            points = list(zip(k["field"], k["sigma"]))
            if e <= points[0][0]:
                return points[0][1]
            for (e0, s0), (e1, s1) in zip(points, points[1:]):
                if e <= e1:
                    return s0 + (s1 - s0) * (e - e0) / (e1 - e0)
            return points[-1][1]
        u = min(max((e - k["from"]) / (k["to"] - k["from"]), 0), 1)
        step = u if self.law == "ramp" else u**3 * (10 - 15 * u + 6 * u * u)
        return k["low"] + (k["high"] - k["low"]) * step

    def yaml(self):
        """As the value of `sigma:` in a plan."""
        return "{" + ", ".join(["law: " + self.law] + [f"{key}: {value}" for key, value in self.keys.items()]) + "}"

    def field_of(self, density):
        """The field at which the current density sigma(E) E has the given value, A/m^2."""
        high = 1.0
        while self(high) * high < density:
            high *= 2
        return brentq(lambda field: self(field) * field - density, 0, high, xtol=1e-9, rtol=1e-14)


class Directed(Law):
    """What an anisotropic tissue's law comes to for a field along a principal direction of its tensor, whose value there
    is `factor` (the three of them have the mean 1)."""

    def __init__(self, law, factor, rise):
        super().__init__(law.law, **law.keys)
        self.factor, self.rise = factor, rise

    def __call__(self, field):
        here, rest = super().__call__(field), super().__call__(0)
        return self.factor * here if self.rise == "scaled" else self.factor * rest + here - rest


class Radial:
    """Coaxial cylinders (n = 1, of the given length) or concentric spheres (n = 2), voltage across inner and outer.

    The current through every shell is the same, so sigma(E) E = k / r^n. The voltage integrates E dr, turned by parts
    into an integral over E, which needs no inversion of sigma(E) E inside.
    """

    def __init__(self, law, n, inner, outer, voltage, length=None):
        self.law, self.n, self.inner, self.outer, self.length = law, n, inner, outer, length
        start = law(0) * voltage / (outer - inner) * inner**n
        low = high = start
        while self._voltage(high) < voltage:
            high *= 2
        while self._voltage(low) > voltage:
            low /= 2
        self.k = brentq(lambda k: self._voltage(k) - voltage, low, high, rtol=1e-13)
        self.current = self.k * (2 * math.pi * length if n == 1 else 4 * math.pi)

    def _voltage(self, k):
        inner, outer = (self.law.field_of(k / r**self.n) for r in (self.inner, self.outer))
        stops = [outer] + [b for b in self.law.breaks if outer < b < inner] + [inner]
        radius = lambda field: (k / (self.law(field) * field)) ** (1 / self.n)
        area = sum(quad(radius, a, b, epsabs=0, epsrel=1e-11)[0] for a, b in zip(stops, stops[1:]))
        return area + outer * self.outer - inner * self.inner

    def radius(self, field):
        """Where |E| has the given value, m; may lie outside the domain."""
        return (self.k / (self.law(field) * field)) ** (1 / self.n)

    def volume(self, field):
        """Volume with |E| of at least the given value, m^3."""
        r = min(max(self.radius(field), self.inner), self.outer)
        if self.n == 1:
            return math.pi * (r**2 - self.inner**2) * self.length
        return 4 / 3 * math.pi * (r**3 - self.inner**3)


class Shells:
    """Concentric spheres with a law for each shell between them: sigma_i(E) E = k / r^2, and the voltages add up."""

    def __init__(self, laws, radii, voltage):
        self.laws, self.radii = laws, radii

        def across(k):
            parts = zip(laws, radii, radii[1:])
            return sum(quad(lambda r: law.field_of(k / r**2), a, b, epsabs=0, epsrel=1e-10)[0] for law, a, b in parts)

        high = 1e-6
        while across(high) < voltage:
            high *= 2
        self.k = brentq(lambda k: across(k) - voltage, high / 1e6, high, rtol=1e-12)
        self.current = 4 * math.pi * self.k

    def volumes(self, field):
        """Volume of each shell where |E| is at least the given value, m^3."""
        found = []
        for law, a, b in zip(self.laws, self.radii, self.radii[1:]):
            r = min(max(math.sqrt(self.k / (law(field) * field)), a), b)
            found.append(4 / 3 * math.pi * (r**3 - a**3))
        return found


class TwoCylinders:
    """Two parallel cylinders of radius a, axes d apart, +-V/2, constant sigma: bipolar coordinates (tau, angle).

    phi is proportional to tau, which runs from -K to K between the surfaces; |E| = V / (2 K h) with the scale factor
    h = s / (cosh tau - cos angle). Lines of constant angle are field lines: circles through the limiting points (+-s, 0).
    A domain that ends at one of them, `angle_from`, is insulated there exactly; angle = pi is the line between the
    cylinders. The half y > 0 is meant.
    """

    def __init__(self, a, d, voltage, sigma, angle_from):
        self.a, self.d, self.angle_from = a, d, angle_from
        self.s = math.sqrt((d / 2) ** 2 - a**2)
        self.K = math.acosh(d / (2 * a))
        self.gradient = voltage / (2 * self.K)
        self.current_per_length = sigma * self.gradient * (math.pi - angle_from)

    def area(self, field):
        """Area of the domain (both signs of tau) where |E| is at least the given value, m^2."""
        most = self.gradient / field  # largest scale factor that counts

        def start(tau):
            """Angle from which h <= most: cos(angle) <= cosh(tau) - s / most."""
            cosine = math.cosh(tau) - self.s / most
            return self.angle_from if cosine >= 1 else math.pi if cosine <= -1 else max(self.angle_from, math.acos(cosine))

        def h2(angle, tau):
            return (self.s / (math.cosh(tau) - math.cos(angle))) ** 2

        kinks = [0.0, self.K]
        for angle in (self.angle_from, math.pi):
            cosh = math.cos(angle) + self.s / most
            if 1 < cosh < math.cosh(self.K):
                kinks.insert(-1, math.acosh(cosh))
        kinks.sort()
        return 2 * sum(dblquad(h2, a, b, start, math.pi, epsabs=1e-14, epsrel=1e-9)[0] for a, b in zip(kinks, kinks[1:]))

    def box(self, field):
        """Half the width along x and the height along y of what area() measures, m: by many points on its boundary."""
        most = self.gradient / field
        tau = np.linspace(0, self.K, 200001)
        cosine = np.cosh(tau) - self.s / most
        angle = np.maximum(self.angle_from, np.arccos(np.clip(cosine, -1, 1)))
        around = np.linspace(angle[-1], math.pi, 20001)  # the cylinder
        tau, angle = np.append(tau[cosine > -1], np.full(around.size, self.K)), np.append(angle[cosine > -1], around)
        scale = self.s / (np.cosh(tau) - np.cos(angle))
        return float(np.max(scale * np.sinh(tau))), float(np.max(scale * np.sin(angle)))

    def oval_area(self, field):
        """Area of the whole Cassini oval of one lobe, cylinders included, both halves (closed form)."""
        c2 = 2 * self.gradient * self.s / field
        assert c2 > self.s**2
        return 2 * c2 * ellipe((self.s**2 / c2) ** 2)


class Layers:
    """Two layers in series between plates: sigma1(E1) E1 = sigma2(E2) E2, E1 d1 + E2 d2 = V."""

    def __init__(self, laws, thicknesses, voltage):
        def across(density):
            return sum(law.field_of(density) * d for law, d in zip(laws, thicknesses))

        high = 1.0
        while across(high) < voltage:
            high *= 2
        self.density = brentq(lambda density: across(density) - voltage, 0, high, rtol=1e-13)
        self.fields = [law.field_of(self.density) for law in laws]


def check():
    """Compare with values found by other means; raises AssertionError."""

    def near(found, wanted, digits):
        assert abs(found - wanted) <= 0.51 * 10.0**-digits, (found, wanted)

    ramp = Law("ramp", low=0.067, high=0.241, **{"from": 460, "to": 700})
    other = Law("ramp", low=0.08, high=0.32, **{"from": 350, "to": 700})
    flat = Law("constant", value=0.1)
    cylinders = [  # law, V, A, onset V/cm, radius mm at onset, 700 and 500 V/cm
        (ramp, 500, 1.600994, 460, 4.1338, 0.7552, 2.6542),
        (ramp, 1000, 4.452444, 460, 11.4962, 2.1003, 7.3815),
        (other, 500, 2.084440, 350, 5.9241, 0.7405, 1.8143),
        (other, 1000, 6.405328, 350, 18.2043, 2.2755, 5.5751),
    ]
    spheres = [
        (ramp, 500, 1.582109, 460, 6.3914, 2.7318, 5.1214),
        (ramp, 1000, 4.100917, 460, 10.2901, 4.3982, 8.2455),
        (ramp, 1500, 6.926271, 460, 13.3730, 5.7159, 10.7158),
        (other, 1000, 5.468733, 350, 12.4669, 4.4077, 6.8992),
    ]
    for n, rows, shape in ((1, cylinders, (0.5, 20, 20)), (2, spheres, (2, 30, None))):
        for law, voltage, current, onset, *radii in rows:
            inner, outer, length = (x and x * MM for x in shape)
            exact = Radial(law, n, inner, outer, voltage, length)
            near(exact.current, current, 6)
            for field, radius in zip((onset, 700, 500), radii):
                near(exact.radius(field * V_PER_CM) / MM, radius, 4)
    exact = Radial(flat, 1, 0.5 * MM, 20 * MM, 1000, 20 * MM)
    near(exact.current, 2 * math.pi * 0.1 * 0.02 * 1000 / math.log(40), 9)
    exact = Radial(flat, 2, 2 * MM, 30 * MM, 1000)
    near(exact.current, 4 * math.pi * 0.1 * 1000 / (1 / 0.002 - 1 / 0.03), 9)

    whole = TwoCylinders(0.5 * MM, 15 * MM, 2250, 0.1, 0)
    near(whole.current_per_length * 2 / 100, 2.079, 3)
    near(whole.oval_area(500 * V_PER_CM) * 1e6, 284.5, 1)
    cut = TwoCylinders(0.5 * MM, 15 * MM, 2250, 0.1, 1e-7)
    both = 2 * cut.area(500 * V_PER_CM) + 2 * math.pi * cut.a**2
    near(both * 1e6, whole.oval_area(500 * V_PER_CM) * 1e6, 3)

    shells = Shells([flat, Law("constant", value=0.3)], [5 * MM, 8 * MM, 12 * MM], 700)
    near(shells.k, 700 / ((200 - 125) / 0.1 + (125 - 1000 / 12) / 0.3), 9)
    near(sum(shells.volumes(shells.k / 0.1 / (6 * MM) ** 2)), 4 / 3 * math.pi * (216 - 125) * MM**3, 9)
    layers = Layers([flat, Law("constant", value=0.3)], [6 * MM, 4 * MM], 700)
    near(layers.density, 700 / (0.006 / 0.1 + 0.004 / 0.3), 6)


if __name__ == "__main__":
    check()
    print("exact solutions agree with the table and the closed forms")
