/**
 * @file
 * The names of these functions in each library. Both libraries compile this folder, and
 * all global names of a static library are visible to the linker. The functions
 * therefore have the prefix of the library: the build defines COMMON_LIBRARY as lstm or
 * mnist. The sources use the names without this prefix.
 */
#ifndef COMMON_NAMES_H
#define COMMON_NAMES_H

#ifndef COMMON_LIBRARY
#error "COMMON_LIBRARY is not defined: lstm or mnist"
#endif

#define COMMON_JOIN2(library, name) library##_##name
#define COMMON_JOIN(library, name)  COMMON_JOIN2(library, name)
#define COMMON_NAME(name)           COMMON_JOIN(COMMON_LIBRARY, name)

#define common_alloc              COMMON_NAME(common_alloc)
#define common_file_check_kind    COMMON_NAME(common_file_check_kind)
#define common_file_get_calls     COMMON_NAME(common_file_get_calls)
#define common_file_set_calls     COMMON_NAME(common_file_set_calls)
#define common_finish_message     COMMON_NAME(common_finish_message)
#define common_folder_size        COMMON_NAME(common_folder_size)
#define common_folder_sync        COMMON_NAME(common_folder_sync)
#define common_free               COMMON_NAME(common_free)
#define common_input_close        COMMON_NAME(common_input_close)
#define common_input_open         COMMON_NAME(common_input_open)
#define common_input_read_at      COMMON_NAME(common_input_read_at)
#define common_leftovers_remove   COMMON_NAME(common_leftovers_remove)
#define common_memory_set_hook    COMMON_NAME(common_memory_set_hook)
#define common_platform_alignment COMMON_NAME(common_platform_alignment)
#define common_platform_files     COMMON_NAME(common_platform_files)
#define common_platform_prepare   COMMON_NAME(common_platform_prepare)
#define common_platform_process   COMMON_NAME(common_platform_process)
#define common_reason             COMMON_NAME(common_reason)
#define common_replace_abandon    COMMON_NAME(common_replace_abandon)
#define common_replace_begin      COMMON_NAME(common_replace_begin)
#define common_replace_commit     COMMON_NAME(common_replace_commit)
#define common_replace_write      COMMON_NAME(common_replace_write)
#define common_same_file          COMMON_NAME(common_same_file)
#define common_stem_write         COMMON_NAME(common_stem_write)
#define common_strdup             COMMON_NAME(common_strdup)
#define common_target_find        COMMON_NAME(common_target_find)
#define common_temporary_name     COMMON_NAME(common_temporary_name)
#define common_write_reason       COMMON_NAME(common_write_reason)
#define mt19937_next32            COMMON_NAME(mt19937_next32)
#define mt19937_next64            COMMON_NAME(mt19937_next64)
#define mt19937_permutation       COMMON_NAME(mt19937_permutation)
#define mt19937_seed              COMMON_NAME(mt19937_seed)

#endif
