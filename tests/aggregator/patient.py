"""
The application as the Procfile serves it, but that it waits for company as long as it comes.

The limits that are lifted here are seconds of a machine that has time: on a busy one they would say
how busy it is, and not whether questions are gathered.
"""

from __future__ import annotations

import aggregator.asgi  # first: it sets Django up
from aggregator import arrivals, batching

application = aggregator.asgi.application
arrivals.PAUSE_S = 2.0
arrivals.CROWD_S = batching.ARRIVALS_S = 20.0
