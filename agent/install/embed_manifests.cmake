# Writes OUT, a C++ source that holds the manifests in DIR, a file by its path there. The definitions are not in it: gitops has them.
file(GLOB_RECURSE paths RELATIVE ${DIR} ${DIR}/*.yaml)
list(FILTER paths EXCLUDE REGEX "^crds/.*fluxcd")
set(body "")
foreach(path ${paths})
  file(READ ${DIR}/${path} text)
  string(APPEND body "    {\"${path}\", R\"weber_yaml(${text})weber_yaml\"},\n")
endforeach()
file(WRITE ${OUT} "// Made by embed_manifests.cmake.
#include \"agent/install/manifests.h\"
namespace weber::agent {
std::span<const ManifestFile> install_files() {
    static constexpr ManifestFile files[] = {
${body}    };
    return files;
}
}
")
