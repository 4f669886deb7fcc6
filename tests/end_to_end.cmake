# Tests of the whole program, and of what the tests themselves stand on. One ctest entry per line; the
# programs say their seed, and take --seed N, --postgres VERSION and unittest's -k PATTERN by hand.
set(PYTHON /usr/bin/python3)

function(liteferry_python_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;PROCESSORS;LABEL" "COMMAND" ${ARGN})
  add_test(NAME ${name} COMMAND ${PYTHON} ${ARG_COMMAND}
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${ARG_TIMEOUT} PROCESSORS ${ARG_PROCESSORS} LABELS "${ARG_LABEL}" SKIP_RETURN_CODE 77
    ENVIRONMENT "LITEFERRY_PROGRAM=$<TARGET_FILE:liteferry>;PYTHONDONTWRITEBYTECODE=1")
endfunction()

liteferry_python_test(layout TIMEOUT 60 PROCESSORS 1 LABEL harness COMMAND layout_test.py)
liteferry_python_test(proxy TIMEOUT 60 PROCESSORS 1 LABEL harness COMMAND proxy_test.py)
liteferry_python_test(compare TIMEOUT 60 PROCESSORS 1 LABEL harness COMMAND compare_test.py)
liteferry_python_test(monitoring TIMEOUT 180 PROCESSORS 1 LABEL harness COMMAND monitoring_test.py)
liteferry_python_test(docs TIMEOUT 600 PROCESSORS 1 LABEL e2e COMMAND docs_test.py)
liteferry_python_test(container TIMEOUT 120 PROCESSORS 1 LABEL deploy COMMAND container_test.py)
liteferry_python_test(kubernetes TIMEOUT 300 PROCESSORS 1 LABEL deploy COMMAND kubernetes_test.py)
liteferry_python_test(package TIMEOUT 1200 PROCESSORS 1 LABEL deploy COMMAND package_test.py)

# liteferry_e2e(NAME TIMEOUT SCRIPT ARGUMENT...)
function(liteferry_e2e name timeout script)
  liteferry_python_test(e2e.${name} TIMEOUT ${timeout} PROCESSORS 2 LABEL e2e
    COMMAND e2e/${script} ${ARGN})
endfunction()

liteferry_e2e(corpus 600 corpus.py)
liteferry_e2e(shapes 300 shapes.py)
liteferry_e2e(capture_fuzz 180 capture_fuzz.py)
liteferry_e2e(invariant 180 invariant.py)
liteferry_e2e(daemons 300 daemons.py)
liteferry_e2e(kill_in_copy 300 kill.py -k in_copy)
liteferry_e2e(kill_in_follow 300 kill.py -k in_follow)
liteferry_e2e(kill_server 300 kill.py -k server)
liteferry_e2e(commit_cut 300 commit_cut.py)
liteferry_e2e(pooler 300 pooler.py)
liteferry_e2e(changelog 300 changelog.py)
liteferry_e2e(schema_change 300 schema_change.py)
liteferry_e2e(rewind 300 rewind.py)
liteferry_e2e(durability 300 durability.py)
liteferry_e2e(resources 300 resources.py)
liteferry_e2e(chaos 900 chaos.py)
liteferry_e2e(load 300 load.py)
liteferry_e2e(target_kinds 120 target_kinds.py)
liteferry_e2e(verify 300 verify.py)
liteferry_e2e(schema 300 schema.py)
liteferry_e2e(values 180 values.py)
liteferry_e2e(rejections 300 rejections.py)
liteferry_e2e(same_keys 300 same_keys.py)
liteferry_e2e(scan 300 scan.py)
liteferry_e2e(mapping 180 mapping.py)
liteferry_e2e(page 300 page.py)
liteferry_e2e(monitoring 300 monitoring.py)
liteferry_e2e(cutover 600 cutover.py)
liteferry_e2e(litestream 300 litestream.py)
liteferry_e2e(story 600 story.py --postgres 17)

# What `make demo` shows, with less of everything.
liteferry_e2e(demo 300 demo.py --program $<TARGET_FILE:liteferry> --revisions 30000 --follow 2)

# The main tests again on other versions of PostgreSQL, fetched when first needed.
foreach(version 17 18)
  liteferry_e2e(corpus_pg${version} 400 corpus.py --postgres ${version} -k notes -k chinook -k pgloader_sqlite)
  liteferry_e2e(schema_pg${version} 300 schema.py --postgres ${version} -k notes -k scripts -k auto)
endforeach()
# The shapes of keys and tables depend on SQLite more than on the server: one newer version will do.
liteferry_e2e(shapes_pg18 300 shapes.py --postgres 18)

# That the benchmarks run (`make bench`), at a size that says nothing about speed.
liteferry_python_test(bench_smoke.program TIMEOUT 300 PROCESSORS 2 LABEL bench COMMAND bench/run.py
  --scale 0.0005 --rounds 1 --only copy_psql,updates,memory,pause,verify)
