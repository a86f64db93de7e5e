"""No tables: the base model, encrypted fields, validators, masking, outgoing URL guard, problems and their texts."""
