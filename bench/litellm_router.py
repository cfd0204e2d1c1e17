"""Calls a second through LiteLLM's Router with a fallback, 16 at a time. Run with a Python that has litellm."""

import asyncio
import importlib.metadata
import statistics
import sys
import time

import litellm
from litellm import Router

ROUNDS, ROUND_CALLS, CONCURRENCY = 3, 640, 16


def deployment(name, url):
    """One model of the router."""
    parameters = {"model": "openai/gpt-4o-mini", "api_base": url, "api_key": "not-a-secret", "max_retries": 0}
    return {"model_name": name, "litellm_params": parameters}


async def per_second(router):
    """Calls in a second."""
    left = iter(range(ROUND_CALLS))

    async def worker():
        for _ in left:
            messages = [{"role": "user", "content": "plain 0"}]
            await router.acompletion(model="first", messages=messages, max_tokens=100)

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    return ROUND_CALLS / (time.perf_counter() - started)


async def main(url):
    """Prints the median of some rounds after one that does not count, and the version."""
    litellm.suppress_debug_info = True
    models = [deployment("first", url), deployment("second", url)]
    router = Router(model_list=models, fallbacks=[{"first": ["second"]}])
    await per_second(router)
    rounds = [await per_second(router) for _ in range(ROUNDS)]
    print(statistics.median(rounds), importlib.metadata.version("litellm"))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
