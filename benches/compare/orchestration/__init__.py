"""What `benches/compare/orchestrators` is made of: workloads, the systems that run them, and what is measured around that."""
