# Writes OUT, a C++ source that holds the texts of the CustomResourceDefinitions in DIR.
set(body "")
foreach(kind kustomizations gitrepositories)
  file(GLOB file ${DIR}/*_${kind}.yaml)
  file(READ ${file} text)
  string(APPEND body "const std::string_view k_${kind} = R\"weber_crd(${text})weber_crd\";\n")
endforeach()
file(WRITE ${OUT} "// Made by embed_definitions.cmake.
#include \"gitops/api/definitions.h\"
namespace weber::gitops {
namespace {
${body}}
std::string_view kustomization_definition() { return k_kustomizations; }
std::string_view git_repository_definition() { return k_gitrepositories; }
}
")
