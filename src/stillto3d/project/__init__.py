"""What is: stills, masks, cameras, geometry and the project, as frozen values of numpy arrays."""
