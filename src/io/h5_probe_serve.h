/* The other process of io/h5_probe.h. */
#ifndef SKV_IO_H5_PROBE_SERVE_H
#define SKV_IO_H5_PROBE_SERVE_H

/* Its main, which talks over descriptor 0, and that of its children: returns in each of them the
 * exit status to end with. */
int skv_h5_probe_serve(void);

#endif
