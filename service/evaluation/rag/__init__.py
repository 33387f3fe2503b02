"""Does retrieval help a language model? Benchmark questions asked with passages and without."""
