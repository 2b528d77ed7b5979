"""The PyVista/Qt widget that shows a project in three dimensions."""
