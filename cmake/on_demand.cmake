# weber_on_demand(TARGET LIBRARY name PACKAGE package [HEADERS target]): a target to link instead of a shared library, which is then loaded with the first call of one of
# its functions. HEADERS is the imported target of the library, for its include folders and definitions. on_demand/README.md says why and how.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64" AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
  enable_language(ASM)
  add_library(weber_on_demand STATIC ${CMAKE_CURRENT_LIST_DIR}/on_demand/resolve.cpp ${CMAKE_CURRENT_LIST_DIR}/on_demand/first_call.S)
  target_link_libraries(weber_on_demand PUBLIC weber_options ${CMAKE_DL_LIBS})
endif()

function(weber_on_demand target)
  cmake_parse_arguments(arg "" "LIBRARY;PACKAGE;HEADERS" "" ${ARGN})
  find_library(${target}_FILE ${arg_LIBRARY} REQUIRED)
  if(NOT TARGET weber_on_demand)
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${${target}_FILE})
  else()
    file(REAL_PATH ${${target}_FILE} file)
    set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    execute_process(COMMAND ${CMAKE_OBJDUMP} -p ${file} OUTPUT_VARIABLE header COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND ${CMAKE_NM} -D --defined-only --format=posix ${file} OUTPUT_VARIABLE exported COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCH "SONAME +([^ \n]+)" soname "${header}")
    set(soname ${CMAKE_MATCH_1})
    # Lines are "name@@VERSION T address size"; of a name with several versions the default one is what dlsym finds.
    string(REGEX MATCHALL "[A-Za-z_][A-Za-z0-9_]*(@@?[^ \n]+)? [TWi] " functions "${exported}")
    list(TRANSFORM functions REPLACE "(@| ).*" "")
    list(REMOVE_DUPLICATES functions)
    list(TRANSFORM functions PREPEND "        FUNCTION ")
    list(JOIN functions "\n" functions)
    set(source ${CMAKE_BINARY_DIR}/on_demand/${target}.S)
    file(CONFIGURE OUTPUT ${source} @ONLY CONTENT "#include \"trampoline.h\"
        LIBRARY \"${soname}\", \"${arg_PACKAGE}\"
${functions}
        .section .note.GNU-stack, \"\", @progbits
")
    add_library(${target} STATIC ${source})
    target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/on_demand)
    target_link_libraries(${target} PUBLIC weber_on_demand)
    target_link_options(${target} INTERFACE -Wl,--gc-sections)
  endif()
  if(arg_HEADERS)
    target_include_directories(${target} INTERFACE $<TARGET_PROPERTY:${arg_HEADERS},INTERFACE_INCLUDE_DIRECTORIES>)
    target_compile_definitions(${target} INTERFACE $<TARGET_PROPERTY:${arg_HEADERS},INTERFACE_COMPILE_DEFINITIONS>)
  endif()
endfunction()
