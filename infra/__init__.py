"""Infrastructure: the command line, stores, files, channels. The only room with clocks and I/O."""
