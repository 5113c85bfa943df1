# shellcheck shell=bash
# CMake reads the versions of nvcc and cuDNN and says which is too old; it compiles for the GPUs that
# the toolkit knows.
mkdir old new
for version in "old 8" "new 14"; do
    cat >"${version% *}/cudnn_version.h" <<HEADER
#define CUDNN_MAJOR 9
#define CUDNN_MINOR ${version#* }
#define CUDNN_PATCHLEVEL 1
HEADER
done
cat >versions.cmake <<CMAKE
include($SOURCE/kernels/cuda/versions.cmake)
foreach(pair "12.4 new" "12.6 old" "12.6 new" "12.9 new" "13.0 new")
  separate_arguments(pair)
  list(GET pair 0 release)
  list(GET pair 1 folder)
  file(WRITE nvcc "#!/bin/sh\necho 'Cuda compilation tools, release \${release}, V\${release}.61'\n")
  file(CHMOD nvcc FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
  skv_cuda_version(cuda \${CMAKE_CURRENT_LIST_DIR}/nvcc)
  skv_cudnn_version(cudnn \${CMAKE_CURRENT_LIST_DIR}/\${folder})
  skv_versions_lack(lack "\${cuda}" "\${cudnn}")
  skv_cuda_architectures(list "\${cuda}")
  message("CUDA \${cuda}, cuDNN \${cudnn}: \${list}: \${lack}.")
endforeach()
CMAKE
cmake -P versions.cmake 2>&1

# the pages name the same GPUs
grep -oE '^\| sm_[0-9]+ \| [0-9.]+' "$SOURCE/kernels/README.md" | sed -E 's/\| sm_//; s/ \|//' >page
sed -nE 's/^set\(SKV_CUDA_CODE (.*)\)/\1/p' "$SOURCE/kernels/cuda/versions.cmake" |
    grep -oE '[0-9]+ [0-9.]+' >list
diff page list
