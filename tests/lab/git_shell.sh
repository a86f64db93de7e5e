#!/bin/sh
# What a deploy key may run: reading the one repository it belongs to. git_shell.sh FOLDER REPOSITORY
# sshd puts what the client asked for into SSH_ORIGINAL_COMMAND.
case "$SSH_ORIGINAL_COMMAND" in
    "git-upload-pack '/$2.git'" | "git-upload-pack '$2.git'")
        exec git -c uploadpack.allowAnySHA1InWant=true upload-pack --strict "$1/$2.git"
        ;;
esac
echo "ERROR: Repository not found." >&2
exit 128
