#!/bin/sh
# What one would type without Holdfast, for one project. Environment: MIRROR (a bare clone), TREE (to check out), WORK,
# TF_CLI_CONFIG_FILE, and for `apply` STATE (a folder of states of its own). Arguments: the project's directory, and plan, check or apply.
set -eu
# Others work on the same states.
umask 000
project=$1
operation=$2
folder="$WORK/$project"
rm -rf "$folder"
mkdir -p "$folder"
git --git-dir="$MIRROR" archive "$TREE" | tar -x -C "$folder"
cd "$folder/$project"
terraform init -input=false -no-color -json ${STATE:+-reconfigure "-backend-config=path=$STATE/$project.tfstate"} > init.log
observe=
if [ "$operation" = check ]; then observe=-lock=false; fi
terraform plan -input=false -no-color -json $observe -out=plan.tfplan > plan.log
terraform show -no-color -json plan.tfplan > plan.json
if [ "$operation" = apply ]; then
  terraform apply -input=false -no-color -json plan.tfplan > apply.log
elif [ "$operation" = plan ]; then
  terraform show -no-color plan.tfplan > plan.txt
fi
