/** userfaultfd for those outside fs/userfaultfd/: what a descriptor can be asked to do. fs/userfaultfd.c. */
export {
  type CopyMode,
  userfaultfd_copy,
  userfaultfd_wake,
  userfaultfd_writeprotect,
  userfaultfd_zeropage
} from "./userfaultfd/fill.ts"
export { userfaultfd_read } from "./userfaultfd/read.ts"
export {
  type Modes,
  userfaultfd_api,
  userfaultfd_register,
  userfaultfd_release,
  userfaultfd_unregister
} from "./userfaultfd/register.ts"
