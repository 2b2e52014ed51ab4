#!/bin/sh
# Lays the current generation of a site out as a tree that nginx can serve, and switches TREE/current to it in one step.
#   export-tree.sh SITE TREE
# Needs jq, GNU tar and zstd. Run it after each import, also after Restore-ClairFeed. The tree before the current one is kept, as a Clair may be reading it.
set -eu
site=$1
tree=$2
number=$(cat "$site/mirror/current")
generation=$site/mirror/generations/$number
new=$tree/.$number.new
rm -rf "$new"
mkdir -p "$new"

# A directory's listing is its index.html. Copies, not links: each has the time that its upstream gave, and one content may have several.
jq -r '.entries[] | [.path, .sha256, (.lastModified // "")] | @tsv' "$generation/index.json" | while IFS="$(printf '\t')" read -r path sha256 modified; do
    case $path in
        */) file=$new${path}index.html ;;
        *) file=$new$path ;;
    esac
    mkdir -p "${file%/*}"
    cp --reflink=auto "$site/store/sha256/$(printf %.2s "$sha256")/$sha256" "$file"
    chmod 644 "$file"
    [ -z "$modified" ] || touch -d "$modified" "$file"
done

# The documents that a generation keeps in one archive.
for table in "$generation"/*.members; do
    [ -e "$table" ] || continue
    prefix=$(head -n 1 "$table" | cut -f 3)
    sha256=$(head -n 1 "$table" | cut -f 4)
    mkdir -p "$new$prefix"
    tar --zstd -xf "$site/store/sha256/$(printf %.2s "$sha256")/$sha256" -C "$new$prefix"
done

before=$(readlink "$tree/current" || true)
rm -rf "${tree:?}/$number"
mv "$new" "$tree/$number"
ln -s "$number" "$tree/.current.new"
mv -T "$tree/.current.new" "$tree/current"
for old in "$tree"/[0-9]*; do
    case ${old##*/} in
        "$number" | "$before") ;;
        *) rm -rf "$old" ;;
    esac
done
