"""What the commands of `knary bench` found, as documents: plain data, one module for each."""
