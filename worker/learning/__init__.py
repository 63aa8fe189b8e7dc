"""From reviews to a champion."""
