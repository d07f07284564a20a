"""An empty page on the same settings: the least a run can cost."""

import streamlit as st

st.set_page_config(page_title="Empty")
