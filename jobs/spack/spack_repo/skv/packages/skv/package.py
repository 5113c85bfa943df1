import pathlib

from spack_repo.builtin.build_systems.cmake import CMakePackage
from spack_repo.builtin.build_systems.cuda import CudaPackage

from spack.package import *


class Skv(CMakePackage, CudaPackage):
    """Sampler for the Infinity text-to-image models on many GPUs, with compressed caches."""

    git = pathlib.Path(__file__).resolve().parents[6].as_uri()  # the clone that has this file

    license("MIT")

    version("main", branch="main")

    variant("mpi", default=True, description="Can be started by mpirun and srun")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("hdf5")
    depends_on("jansson@2.14:")
    depends_on("jpeg")
    depends_on("libpng@1.6:")
    depends_on("libwebp")
    depends_on("openblas")
    depends_on("sentencepiece")
    depends_on("xxhash@0.8:")
    depends_on("zlib-api")
    depends_on("mpi", when="+mpi")
    with when("+cuda"):
        depends_on("cuda@12.8:")
        depends_on("cudnn@9.14:")
        depends_on("nccl")
    conflicts("cuda_arch=none", when="+cuda", msg="name the GPUs: cuda_arch=90 for H100 and H200")

    def cmake_args(self):
        args = [
            self.define("SKV_TESTS", False),
            self.define_from_variant("SKV_CUDA", "cuda"),
            self.define_from_variant("SKV_MPI", "mpi"),
        ]
        if self.spec.satisfies("+cuda"):
            args.append(self.define("CMAKE_CUDA_ARCHITECTURES", self.spec.variants["cuda_arch"].value))
        return args
