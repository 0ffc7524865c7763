/* v_min and v_max where no instruction treats a NaN as simd.h wants it. */
static inline vf v_select(vi mask, vf a, vf b)
{
    return (vf)((mask & (vi)a) | (~mask & (vi)b));
}

static inline vf v_min(vf a, vf x)
{
    return v_select(a < x, a, x);
}

static inline vf v_max(vf a, vf x)
{
    return v_select(a > x, a, x);
}
