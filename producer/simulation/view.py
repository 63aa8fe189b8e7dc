"""One look of an inspection station at an insert: where the camera and the lamp stand, and how clean it all is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class View:
    """How the station sees an insert: pose, light, optics and filth. Angles in degrees, lengths in millimetres."""

    field: float  # width of the picture
    yaw: float  # of the active corner, from facing the camera
    tilt: float  # of the camera above the top face
    shift: tuple[float, float]  # of the active corner from the centre, as a share of the picture
    roll: float
    light_azimuth: float
    light_height: float
    gloss: float  # 0 dull … 1 mirror
    exposure: float  # mean brightness of the insert that the camera aims at, 0 … 1
    warmth: float  # -1 cold … 1 warm light
    backdrop: float  # brightness of what is behind
    blur: float  # radius, as a share of the picture
    depth_blur: float  # the same, for what is far behind the edge
    noise: float
    dirt: float  # 0 clean … 1 filthy
    stains: float  # 0 … 1, dried coolant and heat tint
    seed: int  # where the dirt lies, and every grain of noise

    @staticmethod
    def random(rng: np.random.Generator) -> View:
        """Any station anywhere."""
        return View(
            field=float(np.exp(rng.uniform(np.log(3.8), np.log(13.0)))),
            yaw=float(rng.choice([-1, 1]) * rng.uniform(5, 60)),
            tilt=float(rng.uniform(7, 45)),
            shift=(float(rng.uniform(-0.25, 0.25)), float(rng.uniform(-0.2, 0.2))),
            roll=float(rng.normal(0, 4)),
            light_azimuth=float(rng.uniform(-75, 75)),
            light_height=float(rng.uniform(10, 70)),
            gloss=float(rng.uniform(0, 1)),
            exposure=float(rng.uniform(0.14, 0.7)),
            warmth=float(rng.normal(0, 0.4)),
            backdrop=float(rng.uniform(0, 1)),
            blur=float(rng.uniform(0.0005, 0.004)),
            depth_blur=float(rng.uniform(0.0, 0.02)),
            noise=float(rng.uniform(0.002, 0.03)),
            dirt=float(rng.uniform(0, 1)),
            stains=float(rng.uniform(0, 1)),
            seed=int(rng.integers(2**31)),
        )

    def again(self, rng: np.random.Generator) -> View:
        """The same station's next photograph: the head is never indexed, lit and cleaned quite the same."""
        dx, dy = rng.normal(0, 0.02, 2)
        return replace(
            self,
            field=self.field * float(rng.normal(1, 0.02)),
            yaw=self.yaw + float(rng.normal(0, 2)),
            tilt=self.tilt + float(rng.normal(0, 1)),
            shift=(self.shift[0] + float(dx), self.shift[1] + float(dy)),
            roll=self.roll + float(rng.normal(0, 1)),
            light_azimuth=self.light_azimuth + float(rng.normal(0, 8)),
            exposure=float(np.clip(self.exposure * rng.normal(1, 0.12), 0.14, 0.7)),
            blur=self.blur * float(rng.uniform(0.7, 1.6)),
            dirt=float(rng.uniform(0, 1)),
            stains=float(rng.uniform(0, 1)),
            seed=int(rng.integers(2**31)),
        )
