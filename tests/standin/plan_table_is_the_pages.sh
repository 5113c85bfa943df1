# shellcheck shell=bash
# The plan's table in kernels/README.md is what the program plans today.
bash "$SOURCE/tests/standin/plan_table.sh" "$SKV" "$STANDIN" "$SOURCE" >table
sed -n '/^## Memory by GPU/,/^## /p' "$SOURCE/kernels/README.md" | grep '^|' >page
diff page table
