"""Several processes that serve as one: `supervisor` starts and replaces them, `worker` is one of them."""
