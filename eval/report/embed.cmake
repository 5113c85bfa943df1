# cmake -DFROM=<this folder> -DTO=<file.c> -DPAGE=<page.html> -DPARTS=<a.css,b.js> -DNAME=<prefix>
# -P embed.cmake: the page, with the parts' names in braces replaced by these files, as two C
# arrays, <prefix>_head and <prefix>_tail: what stands before {{data}} and what stands behind it.
string(REPLACE "," ";" PARTS "${PARTS}")
file(READ ${FROM}/${PAGE} page)
foreach(part ${PARTS})
  file(READ ${FROM}/${part} text)
  string(REPLACE "{{${part}}}" "${text}" page "${page}")
endforeach()
string(FIND "${page}" "{{data}}" at)
string(SUBSTRING "${page}" 0 ${at} head)
math(EXPR at "${at} + 8")
string(SUBSTRING "${page}" ${at} -1 tail)

set(c "#include \"eval/report/report_internal.h\"\n")
foreach(part head tail)
  string(HEX "${${part}}" bytes)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND c "\nconst unsigned char ${NAME}_${part}[] = {${bytes}0};\n")
endforeach()
file(WRITE ${TO} "${c}")
