# cmake -DFROM=<this folder> -DTO=<file.c> -P embed.cmake: page.html, with {{style.css}},
# the scripts' names in braces replaced by these files, as two C arrays: what stands before
# {{data}} and what stands behind it.
file(READ ${FROM}/page.html page)
foreach(part style.css model.js plots.js sections.js script.js)
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
  string(APPEND c "\nconst unsigned char skv_report__page_${part}[] = {${bytes}0};\n")
endforeach()
file(WRITE ${TO} "${c}")
