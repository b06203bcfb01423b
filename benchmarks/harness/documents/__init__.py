"""What the commands of `knary bench` found, as documents: plain data, one module per kind of run."""
