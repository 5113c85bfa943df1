# Which CUDA and cuDNN the CUDA backend is compiled with, and for which GPUs: the table "Code for
# GPUs" of kernels/README.md.
set(SKV_CUDA_LEAST 12.5)  # cudaGetDriverEntryPointByVersion
set(SKV_CUDNN_LEAST 9.14) # attention as one operation
# compute capability, and the first CUDA that compiles for it
set(SKV_CUDA_CODE "80 12.5" "90 12.5" "100 12.8" "120 12.8")

# skv_cuda_version(out nvcc): its release, as "13.0".
function(skv_cuda_version out nvcc)
  execute_process(COMMAND ${nvcc} --version OUTPUT_VARIABLE text ERROR_QUIET)
  string(REGEX MATCH "release ([0-9]+\\.[0-9]+)" found "${text}")
  set(${out} "${CMAKE_MATCH_1}" PARENT_SCOPE)
endfunction()

# skv_cudnn_version(out folder): of the headers there, as "9.19".
function(skv_cudnn_version out folder)
  set(version "")
  foreach(part MAJOR MINOR)
    file(STRINGS ${folder}/cudnn_version.h line REGEX "^#define CUDNN_${part} +[0-9]+")
    string(REGEX MATCH "[0-9]+$" number "${line}")
    list(APPEND version "${number}")
  endforeach()
  list(JOIN version "." version)
  set(${out} "${version}" PARENT_SCOPE)
endfunction()

# skv_versions_lack(out cuda cudnn): which of these versions is too old, in words; empty: none.
function(skv_versions_lack out cuda cudnn)
  set(lack "")
  if(cuda VERSION_LESS SKV_CUDA_LEAST)
    set(lack "nvcc is of CUDA ${cuda}, want ${SKV_CUDA_LEAST} or later")
  elseif(cudnn VERSION_LESS SKV_CUDNN_LEAST)
    set(lack "cuDNN ${cudnn}, want ${SKV_CUDNN_LEAST} or later")
  endif()
  set(${out} "${lack}" PARENT_SCOPE)
endfunction()

# skv_cuda_architectures(out cuda): the capabilities that this CUDA compiles for.
function(skv_cuda_architectures out cuda)
  set(found "")
  foreach(entry ${SKV_CUDA_CODE})
    separate_arguments(entry)
    list(GET entry 0 capability)
    list(GET entry 1 first)
    if(cuda VERSION_GREATER_EQUAL first)
      list(APPEND found ${capability})
    endif()
  endforeach()
  set(${out} "${found}" PARENT_SCOPE)
endfunction()
