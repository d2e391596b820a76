"""How pages write moments; Django finds this by FORMAT_MODULE_PATH."""
