"""What all kernels share: the compile decorators, heaps, hashing, status codes."""
